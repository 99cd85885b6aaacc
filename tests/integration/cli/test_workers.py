"""`tellback serve collector --workers N`: several processes behind one port, and one set of metrics."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from services.cli.embedded.process import free_port
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

pytestmark = pytest.mark.slow
START_SECONDS = 60.0
BODY = {"account_id": "acme", "email": "ann@acme.example", "survey_type": "nps", "score": 9}
COUNTED = re.compile(r'^tellback_responses_accepted_total\{via="kafka"\} (\S+)', re.MULTILINE)


class Served:
    """A collector with two workers."""

    def __init__(self, parent: psutil.Process, url: str, key: str) -> None:
        self.parent = parent
        self.url = url
        self._headers = bearer(key)

    def workers(self) -> list[psutil.Process]:
        return [child for child in self.parent.children() if "serve" in " ".join(_command_of(child))]

    async def answers(self, path: str) -> int:
        """The status of a GET on a new connection, 0 without an answer."""
        try:
            async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
                return (await client.get(path)).status_code
        except httpx.TransportError:
            return 0

    async def ready(self) -> None:
        async def all_ready() -> bool:
            statuses = await asyncio.gather(*(self.answers("/health/ready") for _ in range(8)))
            return len(self.workers()) == 2 and set(statuses) == {200}

        await eventually(all_ready, START_SECONDS)

    async def post(self, count: int) -> list[int]:
        """Post so many responses at once, each on a connection of its own."""
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(
            base_url=self.url, headers=self._headers, limits=limits, timeout=30, trust_env=False
        ) as client:
            answers = await asyncio.gather(*(client.post("/v1/responses", json=BODY) for _ in range(count)))
        return [answer.status_code for answer in answers]

    async def counted(self) -> float:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            found = COUNTED.search((await client.get("/metrics")).text)
        return float(found[1]) if found else 0.0


@asynccontextmanager
async def served(environment: Environment, log: Path) -> AsyncIterator[Served]:
    port = free_port()
    key = await api_key(environment, ("ingest",))
    argv = tellback("serve", "collector", "--port", str(port), "--workers", "2", "--pause", "0")
    process = start(argv, log, env=environment.variables())
    try:
        yield Served(psutil.Process(process.pid), f"http://127.0.0.1:{port}", key)
    finally:
        assert end(process) == 0


async def test_two_workers_share_the_port_and_add_up_their_metrics(environment: Environment, tmp_path: Path) -> None:
    async with served(environment, tmp_path / "collector.log") as collector:
        await collector.ready()
        assert await collector.post(60) == [202] * 60
        assert {await collector.counted() for _ in range(6)} == {60.0}


async def test_a_worker_that_dies_is_replaced(environment: Environment, tmp_path: Path) -> None:
    async with served(environment, tmp_path / "collector.log") as collector:
        await collector.ready()
        assert await collector.post(20) == [202] * 20
        victim = collector.workers()[0]
        victim.send_signal(signal.SIGKILL)
        await eventually(lambda: victim not in collector.workers())
        await collector.ready()
        assert await collector.post(20) == [202] * 20
        assert await collector.counted() == 40.0


async def test_nobody_is_left_when_the_parent_ends(environment: Environment, tmp_path: Path) -> None:
    async with served(environment, tmp_path / "collector.log") as collector:
        await collector.ready()
        workers = collector.workers()
    assert not any(worker.is_running() for worker in workers)


def test_only_the_collector_has_workers(environment: Environment, tmp_path: Path) -> None:
    log = tmp_path / "scorer.log"
    process = start(tellback("serve", "scorer", "--workers", "2"), log, env=environment.variables())
    assert process.wait(START_SECONDS) == 2
    assert "--workers" in log.read_text()


def _command_of(process: psutil.Process) -> list[str]:
    """The command line of a process; empty if it has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # also for a zombie
        return []
