"""Children are waited for, restarted when they die, and stopped in order; a failure says why."""

import asyncio
import errno
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from services.cli.embedded.process import Program
from services.cli.supervisor import Child, Part, StartFailed, Supervisor
from tests.support.polling import eventually
from tests.support.processes import end, start

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
PATIENT = "import signal; print('up', flush=True); signal.pause()"
SLOW = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: signal.setitimer(signal.ITIMER_REAL, 0.1))
signal.signal(signal.SIGALRM, lambda *_: sys.exit(0))
print('up', flush=True)
while True:
    signal.pause()
"""


class Watched(Supervisor):
    """A supervisor whose reports a test can read."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        super().__init__(self._tell)

    def _tell(self, child: Child, what: str) -> None:
        self.told.append((child.part.name, what))


@pytest.fixture
async def supervisor() -> AsyncIterator[Watched]:
    watched = Watched()
    yield watched
    await watched.stop(grace=1)


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Part]:
    def make(code: str, name: str = "child", stage: int = 0, exit_codes: dict[int, str] | None = None) -> Part:
        log = tmp_path / f"{name}.log"
        argv = (sys.executable, "-S", "-c", code)
        return Part(Program(name, argv, log, exit_codes=exit_codes or {}), says_up(log), 1, stage, start_seconds=5)

    return make


def says_up(log: Path) -> Callable[[int], Awaitable[bool]]:
    async def ready(_pid: int) -> bool:
        return log.exists() and "up" in log.read_text()

    return ready


async def test_a_start_is_over_when_the_part_is_ready(supervisor: Watched, python: Callable[..., Part]) -> None:
    await supervisor.start([python(PATIENT)])
    assert supervisor.children["child"].state == "ready"
    assert [name for name, what in supervisor.told if what.startswith("ready after")] == ["child"]


async def test_a_part_that_dies_while_starting_fails_with_the_end_of_its_log(
    supervisor: Watched, python: Callable[..., Part]
) -> None:
    with pytest.raises(StartFailed) as raised:
        await supervisor.start([python("import sys; sys.exit('no such database')")])
    assert raised.value.code == "part_died"
    assert "exit code 1" in raised.value.detail
    assert "no such database" in raised.value.detail


async def test_a_part_that_never_gets_ready_fails(supervisor: Watched, python: Callable[..., Part]) -> None:
    part = python("import signal; signal.pause()")
    slow = Part(part.program, part.ready, part.port, part.stage, start_seconds=0.1)
    with pytest.raises(StartFailed, match=r"not ready within 0\.1 s"):
        await supervisor.start([slow])


async def test_a_part_that_is_killed_is_started_again(supervisor: Watched, python: Callable[..., Part]) -> None:
    await supervisor.start([python(PATIENT)])
    child = supervisor.children["child"]
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: child.restarts == 1 and child.state == "ready")
    assert child.process.pid != first
    assert ("child", "ended with SIGKILL; starts again in 0.5 s") in supervisor.told


async def test_an_exit_code_is_told_in_words(supervisor: Watched, python: Callable[..., Part]) -> None:
    code = "import os, sys; print('up', flush=True); sys.stdin.read(); os._exit(3)"
    await supervisor.start([python(code, exit_codes={3: "out of memory"})])
    await eventually(
        lambda: ("child", "ended with exit code 3 (out of memory); starts again in 0.5 s") in supervisor.told
    )


async def test_the_pause_between_starts_grows(supervisor: Watched, python: Callable[..., Part]) -> None:
    await supervisor.start([python("print('up', flush=True)")])
    await eventually(lambda: len(pauses(supervisor)) >= 2)
    assert pauses(supervisor)[:2] == ["0.5 s", "1 s"]


def pauses(supervisor: Watched) -> list[str]:
    return [what.rpartition("again in ")[2] for _, what in supervisor.told if "again in" in what]


async def test_a_report_that_fails_does_not_end_the_watching(python: Callable[..., Part]) -> None:
    def report(_child: Child, what: str) -> None:
        if what.startswith("ended with"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    supervisor = Supervisor(report)
    try:
        await supervisor.start([python(PATIENT)])
        child = supervisor.children["child"]
        os.kill(child.process.pid, signal.SIGKILL)
        await eventually(lambda: child.restarts == 1 and child.state == "ready")
        os.kill(child.process.pid, signal.SIGKILL)
        await eventually(lambda: child.restarts == 2 and child.state == "ready")
    finally:
        await supervisor.stop(grace=1)


async def test_a_part_that_cannot_be_asked_is_started_again(supervisor: Watched, python: Callable[..., Part]) -> None:
    part = python(PATIENT)
    answers: list[bool | Exception] = [True, RuntimeError("nobody foresaw this"), True]

    async def ready(_pid: int) -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    await supervisor.start([replace(part, ready=ready)])
    child = supervisor.children["child"]
    os.kill(child.process.pid, signal.SIGKILL)
    await eventually(lambda: child.restarts == 2 and child.state == "ready")
    assert ("child", "did not start: nobody foresaw this") in supervisor.told


async def test_a_part_that_starts_again_may_take_longer_than_the_first_time(
    supervisor: Watched, python: Callable[..., Part]
) -> None:
    asked = 0

    async def ready(_pid: int) -> bool:
        nonlocal asked
        asked += 1
        return asked == 1 or time.monotonic() - child.started > 2 * slow.start_seconds

    slow = replace(python(PATIENT), ready=ready, start_seconds=1.0)
    await supervisor.start([slow])
    child = supervisor.children["child"]
    os.kill(child.process.pid, signal.SIGKILL)
    await eventually(lambda: child.restarts == 1 and child.state == "ready")
    assert not any(what.startswith("did not start") for _, what in supervisor.told)


async def test_a_part_without_room_to_write_is_told_as_such_and_starts_when_there_is_room(
    supervisor: Watched, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    log = folder / "child.log"
    part = Part(Program("child", (sys.executable, "-S", "-c", PATIENT), log), says_up(log), 1, 0)
    await supervisor.start([part])
    child = supervisor.children["child"]
    folder.rename(tmp_path / "elsewhere")  # a folder to which nothing can be written, whoever runs the test
    os.kill(child.process.pid, signal.SIGKILL)
    said = f"nothing can be written to {folder} (No such file or directory): make room there; starts again in 1 s"
    await eventually(lambda: [what for _, what in supervisor.told if said in what])
    (tmp_path / "elsewhere").rename(folder)
    await eventually(lambda: child.state == "ready")


async def test_services_end_before_what_they_need(supervisor: Watched, python: Callable[..., Part]) -> None:
    await supervisor.start([python(PATIENT, "database", stage=0)])
    await supervisor.start([python(PATIENT, "service", stage=1)])
    await supervisor.stop(grace=5)
    assert [name for name, what in supervisor.told if what == "ended"] == ["service", "database"]


async def test_who_does_not_end_in_time_is_killed(supervisor: Watched, python: Callable[..., Part]) -> None:
    await supervisor.start([python(STUBBORN)])
    began = time.monotonic()
    await supervisor.stop(grace=0.2)
    assert time.monotonic() - began < 5
    assert supervisor.children["child"].process.returncode == -signal.SIGKILL


async def test_one_grace_is_for_all_stages_and_each_has_its_share(
    supervisor: Watched, python: Callable[..., Part]
) -> None:
    """A service that hangs takes neither the time that was promised, nor that in which the database ends well."""
    await supervisor.start([python(SLOW, "database", stage=0), python(STUBBORN, "kafka", stage=0)])
    await supervisor.start([python(STUBBORN, "service", stage=1)])
    began = time.monotonic()
    await supervisor.stop(grace=5)
    assert time.monotonic() - began < 5 + 1
    codes = {name: child.process.returncode for name, child in supervisor.children.items()}
    assert codes == {"database": 0, "kafka": -signal.SIGKILL, "service": -signal.SIGKILL}


async def test_a_step_that_is_cut_off_ends_at_once(supervisor: Watched, python: Callable[..., Part]) -> None:
    program = python(STUBBORN).program
    step = asyncio.create_task(supervisor.run_once(program))
    await eventually(lambda: program.log.exists() and "up" in program.log.read_text())
    began = time.monotonic()
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    assert time.monotonic() - began < 1


async def test_a_step_that_fails_says_why(supervisor: Watched, python: Callable[..., Part]) -> None:
    with pytest.raises(StartFailed, match="no room"):
        await supervisor.run_once(python("import sys; sys.exit('no room')").program)


async def test_what_a_step_has_said_is_in_its_log_when_it_is_over(
    supervisor: Watched, python: Callable[..., Part]
) -> None:
    program = python("for number in range(20_000): print('line', number)").program
    await supervisor.run_once(program)
    assert program.log.read_text().splitlines()[-1] == "line 19999"


async def test_a_child_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    parent = f"""
import signal, subprocess, sys
from pathlib import Path
from services.cli.embedded.process import Program
program = Program("child", ("sleep", "60"), Path({str(tmp_path / "child.log")!r}))
child = subprocess.Popen(program.argv, **program.options())
print(child.pid, flush=True)
signal.pause()
"""
    log = tmp_path / "parent.log"
    process = start((sys.executable, "-c", parent), log)
    try:
        await eventually(lambda: log.exists() and log.read_text().strip())
        child = psutil.Process(int(log.read_text()))
        process.kill()
        process.wait()
        await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    finally:
        end(process)
