"""A scorer as a process of its own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx

from services.cli.embedded.process import free_port
from tests.support.environment import Environment
from tests.support.processes import end, start, tellback, wait_until


@contextlib.contextmanager
def answering(environment: Environment, logs: Path) -> Iterator[str]:
    """`tellback serve scorer` for the block, ready at its beginning: its base URL."""
    port, log = free_port(), logs / "scorer.log"
    child = start(tellback("serve", "scorer", "--port", str(port), "--pause", "0"), log, environment.variables())
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _ready(url), child, log)
        yield url
    finally:
        end(child)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False
