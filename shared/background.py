"""Work beside the requests that no fault ends: a task that fails is begun anew in the same process, after a pause.

Whoever works through items passes over the one that fails (`shared.isolation`); a task as a whole is begun anew only
for what nobody expected of it.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

from shared.errors import TellbackError
from shared.isolation import LONGEST_PAUSE_SECONDS, pause_after
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import task_failing, task_failures_total

log = get_logger(__name__)
STOP_SECONDS = 15.0


class Background:
    """The tasks of one process. `exit_process` is called when memory has run out, which nothing here can mend."""

    def __init__(self, exit_process: Callable[[], None] | None = None) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._exit_process = exit_process or _end_in_good_order
        self.failing: dict[str, str] = {}
        """Task -> code of its last failure, until it has worked for longer than the pause before it."""

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` until it ends; each time it fails, log why and run it again after 1, 2, 4 … 60 seconds."""
        self._tasks[name] = asyncio.create_task(self._kept_running(name, work), name=name)

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
            except Exception as error:  # nobody foresaw it: it is told, and the work goes on
                self._note(name, error)
            else:
                self._mended(name)
                return
            finally:
                mended.cancel()
            failures = 1 if time.monotonic() - began > LONGEST_PAUSE_SECONDS else failures + 1
            await asyncio.sleep(pause_after(failures))

    def _note(self, name: str, error: Exception) -> None:
        code = error.code if isinstance(error, TellbackError) else "unexpected"
        log.critical("background_task_failed", task=name, code=code, exc_info=error)
        self.failing[name] = code
        task_failures_total.labels(name).inc()
        task_failing.labels(name).set(1)

    def _mended(self, name: str) -> None:
        if self.failing.pop(name, None) is not None:
            log.info("background_task_works_again", task=name)
            task_failing.labels(name).set(0)

    async def stop(self) -> None:
        """Cancel what still runs and wait for it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)


def _end_in_good_order() -> None:
    """Ask our own process to end in good order; the supervisor starts it anew."""
    os.kill(os.getpid(), signal.SIGTERM)
