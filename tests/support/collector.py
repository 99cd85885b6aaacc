"""A collector as a process of its own."""

import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.environment import Environment
from tests.support.http import api_key
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

SECONDS = 60.0


@dataclass(frozen=True)
class Collecting:
    """A running collector, and a key with the scope to ingest."""

    process: subprocess.Popen[bytes]
    url: str
    key: str

    async def status(self, path: str) -> int:
        """The status of a GET, 0 without an answer."""
        try:
            async with httpx.AsyncClient(base_url=self.url, timeout=10, trust_env=False) as client:
                return (await client.get(path)).status_code
        except httpx.TransportError:
            return 0

    async def until(self, reached: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait until the condition holds."""
        await eventually(reached, timeout=seconds)


@contextlib.asynccontextmanager
async def collecting(environment: Environment, logs: Path, port: int, *, workers: int = 1) -> AsyncIterator[Collecting]:
    """A collector as a process for the block, ready at its beginning."""
    argv = tellback("serve", "collector", "--port", str(port), "--workers", str(workers), "--pause", "0")
    key = await api_key(environment, ("ingest",))
    log = logs / "collector.log"
    process = start(argv, log, environment.variables())
    running = Collecting(process, f"http://127.0.0.1:{port}", key)

    async def ready() -> bool:
        if process.poll() is not None:
            raise RuntimeError(log.read_text(errors="replace")[-3000:])
        return await running.status("/health/ready") == 200

    try:
        await eventually(ready, SECONDS)
        yield running
    finally:
        end(process)
