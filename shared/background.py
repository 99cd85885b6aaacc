"""Background work that no fault ends. Three kinds of failure, each handled in one place: an item that fails is passed
over by the loop that works through the items (`shared.isolation`); an unavailable dependency is waited for
(`patiently`, on which `Periodic` is built); after an unforeseen error the whole task is started again in the same
process (`Background`)."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from shared.errors import TellbackError, Unavailable
from shared.isolation import LONGEST_PAUSE_SECONDS, Held, pause_after
from shared.stopping import TASKS
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import task_failing, task_failures_total, task_waits_total

log = get_logger(__name__)
Result = TypeVar("Result")


async def patiently(name: str, work: Callable[[], Awaitable[Result]], longest: float) -> Result:
    """The result of `work()`. While a dependency of it is away (`Unavailable`), the failure is logged and counted under
    `name`, and `work` is tried again after 1, 2, 4 … seconds, at most `longest`."""
    failures = 0
    while True:
        try:
            return await work()
        except Unavailable as error:
            failures += 1
            log.warning("task_waits", task=name, code=error.code)
            task_waits_total.labels(name).inc()
            await asyncio.sleep(pause_after(failures, longest))


class Periodic:
    """Does `work()` every `interval` seconds, patiently. `work` returns whether there may be more to do, and is then
    called again at once; None means no. For work that passes over failing items, `held` says when the next of them may
    be tried again."""

    def __init__(
        self,
        name: str,
        interval: float,
        work: Callable[[], Awaitable[bool | None]],
        held: Held[Any] | None = None,
    ) -> None:
        self.name = name
        self._interval = interval
        self._work = work
        self._held = held
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Start the next round now instead of after the interval."""
        self._woken.set()

    async def run(self) -> None:
        """Repeat the work until cancelled."""
        while True:
            self._woken.clear()
            if not await patiently(self.name, self._work, self._interval):
                await self._rest()

    async def _rest(self) -> None:
        seconds = self._held.rest(self._interval) if self._held is not None else self._interval
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()


class Background:
    """The tasks of one process. `exit_process` is called when memory has run out, which only a new process can mend."""

    def __init__(self, exit_process: Callable[[], None] | None = None) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._exit_process = exit_process or _end_in_good_order
        self.failing: dict[str, str] = {}
        """Task -> code of its last failure, until it has worked for longer than the pause before it."""

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` until it ends; each time it fails, log why and run it again after 1, 2, 4 … 60 seconds."""
        self._tasks[name] = asyncio.create_task(self._kept_running(name, work), name=name)

    def repeat(self, periodic: Periodic) -> None:
        """Run periodic work until the process stops."""
        self.start(periodic.name, periodic.run)

    async def _kept_running(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            mended = asyncio.get_running_loop().call_later(pause_after(failures or 1), self._mended, name)
            try:
                await work()
            except MemoryError as error:
                self._note(name, error)
                self._exit_process()
                return
            except asyncio.CancelledError as error:
                if _is_cancelled():
                    raise
                self._note(name, error)  # a library has cancelled something of its own and let it out
            except Exception as error:  # unforeseen: logged and counted, and the work is started again
                self._note(name, error)
            else:
                self._mended(name)
                return
            finally:
                mended.cancel()
            if time.monotonic() - began > LONGEST_PAUSE_SECONDS:
                failures = 0
            failures += 1
            await asyncio.sleep(pause_after(failures))

    def _note(self, name: str, error: BaseException) -> None:
        code = "unexpected"
        if isinstance(error, TellbackError):
            code = error.code
        log.critical("background_task_failed", task=name, code=code, exc_info=error)
        self.failing[name] = code
        task_failures_total.labels(name).inc()
        task_failing.labels(name).set(1)

    def _mended(self, name: str) -> None:
        if self.failing.pop(name, None) is not None:
            log.info("background_task_works_again", task=name)
            task_failing.labels(name).set(0)

    async def stop(self) -> None:
        """Cancel what still runs and wait for it, at most 2 s."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=TASKS)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _end_in_good_order() -> None:
    """Ask our own process to shut down gracefully; the supervisor starts it again."""
    os.kill(os.getpid(), signal.SIGTERM)
