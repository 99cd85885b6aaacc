"""Notices that figures or follow-ups have changed, once for all open pages of a person."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from uuid import UUID

from shared.errors import TellbackError
from shared.http.client import Api
from shared.isolation import pause_after
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
Told = Callable[[], Awaitable[bool]]
"""Loads a page anew; whether everything could be loaded, else it is told again."""
RECONNECT_SECONDS = 3.0
REST_SECONDS = 15.0
"""A page that could not be loaded is tried again after ever longer rests, up to this: what is too slow would only get
slower. That a service is back is news, and does not wait."""
SETTLE_SECONDS = 0.7
"""An answer is listed a moment before the figures that follow from it: pages are told twice."""


class ChangeNotifier:
    """Hears the scorer's stream of changes, and asks for the newest follow-up, as long as a page is open."""

    def __init__(self, api: Callable[[], Awaitable[Api]], seconds: float) -> None:
        self._api, self._seconds = api, seconds
        self._told: set[Told] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._stirred = asyncio.Event()
        self._streaming = False
        self._unsettled = False

    def ask_by(self, api: Callable[[], Awaitable[Api]]) -> None:
        """From now on ask as the newest page does: the person may have another role than when the first was opened."""
        self._api = api

    def subscribe(self, told: Told) -> None:
        """Tell this page from now on."""
        self._told.add(told)
        if not self._tasks:
            self._tasks = [asyncio.create_task(_for_ever(work)) for work in (self._run, self._listen)]

    def unsubscribe(self, told: Told) -> None:
        """The page is gone; with the last one the asking ends."""
        self._told.discard(told)
        if not self._told:
            self.stop()

    def stop(self) -> None:
        """End the asking."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _run(self) -> None:
        seen, failures, again_at = await self._look(), 0, 0.0
        now = asyncio.get_running_loop().time
        while True:
            await self._pause()
            looked = await self._look()
            due = now() >= again_at if self._unsettled else self._stirred.is_set()
            if looked == seen and not due:
                continue
            seen = looked
            self._stirred.clear()
            await self._tell()
            if self._unsettled:
                failures += 1
                again_at = now() + min(self._seconds * 2**failures, REST_SECONDS)
                continue
            failures = 0
            await asyncio.sleep(SETTLE_SECONDS)
            await self._tell()

    async def _pause(self) -> None:
        """Until something stirs; where not everything could be loaded, what stirs can wait."""
        if self._unsettled:
            await asyncio.sleep(self._seconds)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), self._seconds)

    async def _listen(self) -> None:
        """Each event of the stream stirs; where there is no stream, the newest answer is asked for instead."""
        while True:
            try:
                api = await self._api()
                async for line in api.lines("scorer", "/v1/stream"):
                    self._streaming = True
                    if line.startswith("data:"):
                        self._stirred.set()
            except TellbackError as error:
                told = log.debug if error.service else log.warning  # a service that is away is told by the pages
                told("no_stream", code=error.code)
            self._streaming = False
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _tell(self) -> None:
        results = await asyncio.gather(*(told() for told in list(self._told)), return_exceptions=True)
        self._unsettled = not all(result is True for result in results)
        for result in results:
            if isinstance(result, Exception):
                log.error("page_not_refreshed", exc_info=result)

    async def _look(self) -> tuple[str, str]:
        """What is newest; a service that is away is news too, and so is its return."""
        try:
            api = await self._api()
        except TellbackError as error:
            return (error.code, "")
        tasks = await _newest(api.get("alerting", "/v1/follow-ups", sort="-updated_at", limit=1))
        if self._streaming:
            return "streaming", tasks
        return await _newest(api.get("scorer", "/v1/responses", sort="-updated_at", limit=1)), tasks


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Begin the work anew after a pause when it fails in a way that nobody foresaw: pages would stand still."""
    failures = 0
    while True:
        try:
            await work()
        except Exception as error:
            failures += 1
            log.error("notifier_failed", failures=failures, exc_info=error)
        await asyncio.sleep(pause_after(failures or 1))


async def _newest(asking: Awaitable[dict[str, object]]) -> str:
    try:
        return str((await asking)["items"])
    except TellbackError as error:
        return error.code


class ChangeNotifiers:
    """One notifier a person."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._notifiers: dict[UUID, ChangeNotifier] = {}

    def of(self, user_id: UUID, api: Callable[[], Awaitable[Api]]) -> ChangeNotifier:
        """The notifier of a person."""
        if user_id not in self._notifiers:
            self._notifiers[user_id] = ChangeNotifier(api, self._seconds)
        self._notifiers[user_id].ask_by(api)
        return self._notifiers[user_id]

    def stop(self) -> None:
        """End all asking."""
        for notifier in self._notifiers.values():
            notifier.stop()
