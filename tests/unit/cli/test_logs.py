"""Logs rotate while their programs run: no line is lost, and nobody waits for the writer or dies with it."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from services.cli.embedded.process import Program
from services.cli.log_writer import Log
from services.cli.logs import Logs
from services.cli.supervisor import Child, Part, Supervisor
from tests.support.polling import eventually
from tests.support.processes import end, start

SIZE, KEPT = 10_000, 3


def content(log: Path) -> bytes:
    """All that a log and its older files hold, the oldest first."""
    files = [log.with_name(f"{log.name}.{number}") for number in range(KEPT, 0, -1)]
    return b"".join(file.read_bytes() for file in [*files, log] if file.exists())


@pytest.fixture
async def logs() -> AsyncIterator[Logs]:
    made = Logs(SIZE, KEPT)
    yield made
    await made.close()


def test_a_full_log_is_rotated_at_the_end_of_a_line_and_the_oldest_goes(tmp_path: Path) -> None:
    log = Log(tmp_path / "child.log", size=30, kept=2)
    for number in range(10):
        log.write(b"line %d, begun and " % number)
        log.write(b"ended\n")
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["child.log", "child.log.1", "child.log.2"]
    kept = [line for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert sorted(kept) == [f"line {number}, begun and ended" for number in range(7, 10)]


def test_a_line_that_is_longer_than_a_log_stays_whole(tmp_path: Path) -> None:
    log = Log(tmp_path / "child.log", size=30, kept=2)
    log.write(b"short\n" + b"x" * 40)
    log.write(b"y\nshort again\n")
    log.close()
    assert (tmp_path / "child.log.2").read_bytes() == b"short\n"
    assert (tmp_path / "child.log.1").read_bytes() == b"x" * 40 + b"y\n"
    assert (tmp_path / "child.log").read_bytes() == b"short again\n"


def test_a_log_that_was_moved_before_it_was_full_is_begun_anew(tmp_path: Path) -> None:
    log = Log(tmp_path / "child.log", size=30, kept=2)
    log.write(b"a line that somebody moves\n")
    (tmp_path / "child.log").rename(tmp_path / "elsewhere")
    log.write(b"the next line\n")
    log.close()
    assert (tmp_path / "child.log").read_bytes() == b"the next line\n"


def test_what_could_not_be_written_is_counted_and_later_lines_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    log = Log(folder / "child.log", SIZE, KEPT)
    log.write(b"nowhere to go\n")
    folder.mkdir()
    log.write(b"back again\n")
    log.close()
    assert content(folder / "child.log") == b"(14 bytes of this log could not be written)\nback again\n"


async def test_no_line_is_lost_while_logs_rotate_and_their_writer_is_replaced(logs: Logs, tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    pipe = logs.open(log)
    written = b""
    for number in range(1_200):
        written += b"line %d\n" % number
        os.write(pipe, b"line %d\n" % number)
        if number == 600:
            logs.drain()
            first = logs.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
    await eventually(lambda: logs.pid != first)
    logs.drain()
    assert content(log) == written
    assert SIZE - len(b"line 1200\n") < log.with_name("child.log.1").stat().st_size <= SIZE


async def test_a_log_that_was_moved_is_begun_anew_when_its_program_starts_again(logs: Logs, tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    os.write(logs.open(log), b"before\n")
    logs.drain()
    log.rename(tmp_path / "moved")
    os.write(logs.open(log), b"after\n")
    logs.drain()
    assert (tmp_path / "moved").read_bytes() == b"before\n"
    assert log.read_bytes() == b"after\n"


async def test_a_late_answer_is_not_taken_for_that_of_the_next_request(
    logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "child.log"
    pipe = logs.open(log)
    writer = psutil.Process(logs.pid)
    writer.suspend()
    monkeypatch.setattr("services.cli.logs.ANSWER_SECONDS", 0.05)
    for _ in range(3):
        logs.drain()
    monkeypatch.undo()
    writer.resume()
    for number in range(50):
        os.write(pipe, b"line %d\n" % number)
        logs.drain()
        assert log.read_bytes().endswith(b"line %d\n" % number)


async def test_the_writer_ends_after_its_supervisor(tmp_path: Path) -> None:
    def report(_child: Child, _what: str) -> None:
        return

    async def ready(_pid: int) -> bool:
        return True

    logs = Logs(SIZE, KEPT)
    supervisor = Supervisor(report, logs)
    program = Program("child", (sys.executable, "-S", "-c", "import signal; signal.pause()"), tmp_path / "child.log")
    await supervisor.start([Part(program, ready, 1, 0)])
    writer = psutil.Process(logs.pid)
    assert writer.memory_info().rss < 20_000_000
    await supervisor.stop(grace=5)
    assert not writer.is_running()


async def test_a_child_says_its_last_words_after_its_supervisor_was_killed(tmp_path: Path) -> None:
    """More than a pipe holds: it would wait for ever if nobody read, and end at once if there were no reader."""
    child = (
        "import signal\n"
        "def end(*_):\n"
        "    for number in range(2000): print('word', number, 'x' * 99)\n"
        "    print('the last word', flush=True)\n"
        "    raise SystemExit\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', flush=True)\n"
        "while True: signal.pause()\n"
    )
    parent = f"""
import asyncio, sys
from pathlib import Path
from services.cli.embedded.process import Program
from services.cli.supervisor import Part, Supervisor

async def ready(pid): return True

async def main():
    program = Program("child", (sys.executable, "-S", "-c", {child!r}), Path({str(tmp_path / "child.log")!r}))
    await Supervisor(lambda child, what: None).start([Part(program, ready, 1, 0)])
    await asyncio.Event().wait()

asyncio.run(main())
"""
    process = start((sys.executable, "-c", parent), tmp_path / "parent.log")
    try:
        await eventually(says(tmp_path / "child.log", "up"))
        processes = psutil.Process(process.pid).children()
        assert len(processes) == 2
        process.kill()
        process.wait()
        await eventually(says(tmp_path / "child.log", "the last word"))
        await eventually(lambda: not [one for one in processes if alive(one)])
    finally:
        end(process)


def says(log: Path, word: str) -> Callable[[], bool]:
    return lambda: log.exists() and word in log.read_text()


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
