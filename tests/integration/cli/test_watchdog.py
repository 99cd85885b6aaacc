"""A process whose event loop is blocked ends by itself, so that its supervisor can restart it; and so does one that has
been told to stop and cannot."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.cli.embedded.process import free_port
from tests.support.polling import eventually
from tests.support.processes import end, start

LIMIT_SECONDS, LAST_SECONDS = 2.0, 3.0


@contextmanager
def process(log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A process with a blocking route, and its address."""
    port = free_port()
    program = (
        sys.executable,
        "-P",
        "-m",
        "tests.support.standing_still",
        str(port),
        str(LIMIT_SECONDS),
        str(LAST_SECONDS),
    )
    child = start(program, log)
    try:
        yield child, f"http://127.0.0.1:{port}"
    finally:
        end(child)


def answers(address: str) -> Callable[[], bool]:
    def probe() -> bool:
        try:
            return httpx.get(f"{address}/health/live").is_success
        except httpx.TransportError:
            return False

    return probe


async def test_a_call_that_never_returns_ends_the_process_and_tells_where_it_was(tmp_path: Path) -> None:
    with process(tmp_path / "log") as (child, address):
        await eventually(answers(address), timeout=30)
        with pytest.raises(httpx.TransportError):
            await asyncio.to_thread(httpx.get, f"{address}/never", timeout=60)
        await eventually(lambda: child.poll() is not None)
    assert child.returncode == 1
    assert "in never" in (tmp_path / "log").read_text()


async def test_a_thread_that_never_ends_does_not_keep_a_process_that_was_told_to_stop(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with process(log) as (child, address):
        await eventually(answers(address), timeout=30)
        waiting = asyncio.create_task(asyncio.to_thread(httpx.get, f"{address}/stuck", timeout=60))
        await eventually(lambda: "stuck" in log.read_text())
        child.terminate()
        await eventually(lambda: child.poll() is not None)
        await asyncio.gather(waiting, return_exceptions=True)
    assert child.returncode == 1
    assert "threading.py" in log.read_text()


async def test_a_process_whose_loop_turns_outlives_the_limit(tmp_path: Path) -> None:
    with process(tmp_path / "log") as (child, address):
        await eventually(answers(address), timeout=30)
        began = time.monotonic()
        await eventually(lambda: time.monotonic() - began > 2 * LIMIT_SECONDS)
        assert child.poll() is None
        assert answers(address)()
