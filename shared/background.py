"""Background tasks that may not die unnoticed: the first failure stops the process loudly."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from shared.errors import TellbackError
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
STOP_SECONDS = 15.0


class Background:
    """A set of supervised tasks of one process."""

    def __init__(self, on_failure: Callable[[], None] | None = None) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._on_failure = on_failure or _stop_process
        self._stopping = False
        self.failed: str | None = None

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` until it ends; if it fails, log why and stop the process."""
        self._tasks[name] = asyncio.create_task(self._watched(name, work), name=name)

    async def _watched(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except TellbackError as error:
            self._fail(name, error, error.code, error.detail)
        except Exception as error:  # the last resort: it is logged with its trace and ends the process
            self._fail(name, error, "unexpected", type(error).__name__)

    def _fail(self, name: str, error: Exception, code: str, detail: str) -> None:
        log.critical("background_task_failed", task=name, code=code, detail=detail, exc_info=error)
        if not self._stopping:
            self.failed = f"{name}: {code}"
            self._on_failure()

    async def stop(self) -> None:
        """Cancel what still runs and wait for it."""
        self._stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)


def _stop_process() -> None:
    """Ask our own process to end in good order; the supervisor starts it anew."""
    os.kill(os.getpid(), signal.SIGTERM)
