"""Child processes: started in order, watched, restarted with a growing pause, ended with TERM and then KILL."""

import asyncio
import contextlib
import logging
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.embedded.process import Program
from services.cli.logs import Logs
from services.cli.paths import unwritable
from shared.errors import TellbackError

_log = logging.getLogger(__name__)
POLL_SECONDS = 0.1
ASK_SECONDS = 0.2
"""Interval between two readiness checks of a part."""
GRACE_SECONDS = 20.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0
"""A child that has run this long is restarted without a longer pause than the last time."""
RESTART_PATIENCE = 5.0
"""Factor by which a restart may take longer than the first start: nobody waits for it, and on a busy machine, killing a
slow child would make an endless loop."""
TAIL_LINES = 15


class StartFailed(TellbackError):
    """A part did not become ready; the detail holds the end of its log."""


class PartDied(StartFailed):
    """A part ended before it was ready."""


@dataclass(frozen=True, slots=True)
class Part:
    """A program and its readiness check. Parts of a higher `stage` depend on the lower ones, so they are stopped
    first."""

    program: Program
    ready: Callable[[int], Awaitable[bool]]
    port: int
    stage: int
    start_seconds: float = 60.0

    @property
    def name(self) -> str:
        """The name of the part, unique in an installation."""
        return self.program.name


@dataclass(slots=True)
class Child:
    """The process of a part: `state` is starting, ready, waiting (to be restarted) or ended."""

    part: Part
    process: subprocess.Popen[bytes]
    started: float
    state: str = "starting"
    restarts: int = 0
    watch: asyncio.Task[None] | None = field(default=None, repr=False)


Report = Callable[[Child, str], None]
"""Called with a child and a sentence for people at every change of its state."""


class Supervisor:
    """The children of this process. All methods must be called from the main thread's event loop: the kernel signals
    children when the thread that started them ends."""

    def __init__(self, report: Report, logs: Logs | None = None) -> None:
        self.children: dict[str, Child] = {}
        self._report = report
        self._logs = logs or Logs()

    async def start(self, parts: Iterable[Part]) -> None:
        """Start parts concurrently and wait until all are ready; from then on they are restarted when they end. Raises
        StartFailed for the first part that is not ready in time or ends before."""
        fresh = []
        for part in parts:
            child = Child(part, self._spawn(part.program), time.monotonic())
            self.children[part.name] = child
            self._tell(child, "started")
            fresh.append(child)
        waits = [asyncio.create_task(self._until_ready(child)) for child in fresh]
        try:
            await asyncio.gather(*waits)
        finally:
            for wait in waits:
                wait.cancel()
        for child in fresh:
            child.watch = asyncio.create_task(self._keep_running(child))

    async def run_once(self, program: Program, *, output: int | None = None) -> None:
        """Run a program to its end; `output` is a file descriptor, by default its log, which then holds all that it
        said. Raises StartFailed."""
        process = self._spawn(program, output)
        try:
            while process.poll() is None:
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await _end([(process, program)])
        self._logs.drain()
        if process.returncode != 0:
            raise StartFailed("step_failed", self._explained(program, f"failed with exit code {process.returncode}"))

    async def stop(self, *, grace: float = GRACE_SECONDS) -> None:
        """Stop every child, stage by stage: services before the parts they depend on."""
        for child in self.children.values():
            if child.watch is not None:
                child.watch.cancel()
        for stage in sorted({child.part.stage for child in self.children.values()}, reverse=True):
            group = [child for child in self.children.values() if child.part.stage == stage]
            await _end([(child.process, child.part.program) for child in group], grace)
            for child in group:
                child.state = "ended"
                self._tell(child, "ended")
        await self._logs.close()

    def kill(self) -> None:
        """Kill every child at once."""
        for child in self.children.values():
            child.process.kill()

    def _tell(self, child: Child, what: str) -> None:
        """Report a change. A report that fails, for example on a full disk, must not end the supervision."""
        try:
            self._report(child, what)
        except Exception:
            _log.exception("%s %s; this could not be reported", child.part.name, what)

    async def _until_ready(self, child: Child, patience: float = 1.0) -> None:
        part, seconds = child.part, child.part.start_seconds * patience
        while not await part.ready(child.process.pid):
            if (code := child.process.poll()) is not None:
                ending = f"ended with {_ending(part.program, code)}"
                raise PartDied("part_died", self._explained(part.program, ending))
            if time.monotonic() - child.started > seconds:
                raise StartFailed(
                    "part_not_ready", self._explained(part.program, f"was not ready within {seconds:g} s")
                )
            await asyncio.sleep(ASK_SECONDS)
        child.state = "ready"
        self._tell(child, f"ready after {time.monotonic() - child.started:.1f} s")

    async def _keep_running(self, child: Child) -> None:
        pause = FIRST_PAUSE
        while True:
            while child.process.poll() is None:
                await asyncio.sleep(POLL_SECONDS)
            if time.monotonic() - child.started > STEADY_SECONDS:
                pause = FIRST_PAUSE
            child.state = "waiting"
            child.restarts += 1
            ending = _ending(child.part.program, child.process.returncode)
            self._tell(child, f"ended with {ending}{_obstacle(child.part.program)}; starts again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await self._start_again(child)
            except PartDied:
                continue  # reported above
            except Exception as error:  # the cause may be gone at the next try
                first_line = str(error).partition("\n")[0]
                self._tell(child, f"did not start: {first_line or repr(error)}")
                await _end([(child.process, child.part.program)])

    async def _start_again(self, child: Child) -> None:
        child.started = time.monotonic()
        child.process = self._spawn(child.part.program)
        child.state = "starting"
        self._tell(child, "started again")
        await self._until_ready(child, RESTART_PATIENCE)

    def _spawn(self, program: Program, output: int | None = None) -> subprocess.Popen[bytes]:
        if output is None:
            output = self._logs.open(program.log)
        return subprocess.Popen(program.argv, stdout=output, stderr=subprocess.STDOUT, **program.options())

    def _explained(self, program: Program, what: str) -> str:
        self._logs.drain()
        return f"{program.name} {what}{_obstacle(program)}\nthe end of {program.log}:\n{tail(program.log)}"


async def _end(running: Iterable[tuple[subprocess.Popen[bytes], Program]], grace: float = GRACE_SECONDS) -> None:
    """Ask all children to end, and kill those that still run after the grace (seconds)."""
    waiting = [(process, program) for process, program in running if process.poll() is None]
    for process, program in waiting:
        process.send_signal(program.stop_signal)
    deadline = time.monotonic() + grace
    while any(process.poll() is None for process, _ in waiting) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    for process, _ in waiting:
        if process.poll() is None:
            process.kill()
        process.wait()


def _ending(program: Program, code: int) -> str:
    """An exit code in words: `exit code 3 (out of memory)` or `SIGKILL`."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    meaning = program.exit_codes.get(code)
    if meaning:
        return f"exit code {code} ({meaning})"
    return f"exit code {code}"


def _obstacle(program: Program) -> str:
    """A visible reason why a program may have ended: a folder without free space."""
    folder = program.log.parent
    reason = unwritable(folder)
    if reason:
        return f", and nothing can be written to {folder} ({reason}): make room there"
    return ""


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 20_000))
            return b"\n".join(file.read().splitlines()[-lines:]).decode(errors="replace")
    except FileNotFoundError:
        return "(no log)"
