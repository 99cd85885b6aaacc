"""Notices changes of figures and follow-ups, once for all open pages of a person."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from shared.api.questions import FOLLOW_UPS, RESPONSES
from shared.errors import TellbackError
from shared.http.client import Api, Question
from shared.http.paging import Page
from shared.isolation import pause_after
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
Reload = Callable[[], Awaitable[bool]]
"""Reloads a page; returns whether everything could be loaded, else it is called again later."""
RECONNECT_SECONDS = 3.0
REST_SECONDS = 15.0
"""The longest pause (they grow) before a page that could not be loaded is tried again: an overloaded service would only
get slower. That a service is back is a change, and is not delayed."""
SETTLE_SECONDS = 0.7
"""An answer is listed a moment before the figures that follow from it: pages reload once more after this time."""


class ChangeNotifier:
    """Follows the scorer's stream of changes and polls for the newest follow-up, as long as a page is open."""

    def __init__(self, api: Callable[[], Awaitable[Api]], seconds: float) -> None:
        self._api, self._seconds = api, seconds
        self._reloads: set[Reload] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._woken = asyncio.Event()
        self._streaming = False
        self._incomplete = False

    def ask_by(self, api: Callable[[], Awaitable[Api]]) -> None:
        """Use the client of the newest page from now on: the person may have another role than when the first page was
        opened."""
        self._api = api

    def subscribe(self, reload: Reload) -> None:
        """Reload this page after each change."""
        self._reloads.add(reload)
        if not self._tasks:
            self._tasks = [asyncio.create_task(_for_ever(work)) for work in (self._run, self._listen)]

    def unsubscribe(self, reload: Reload) -> None:
        """Stop reloading a closed page; with the last page the polling ends."""
        self._reloads.discard(reload)
        if not self._reloads:
            self.stop()

    def stop(self) -> None:
        """Stop following and polling."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _run(self) -> None:
        seen, failures, again_at = await self._look(), 0, 0.0
        now = asyncio.get_running_loop().time
        while True:
            await self._pause()
            looked = await self._look()
            due = self._woken.is_set()
            if self._incomplete:
                due = now() >= again_at
            if looked == seen and not due:
                continue
            seen = looked
            self._woken.clear()
            await self._reload_pages()
            if self._incomplete:
                failures += 1
                again_at = now() + min(self._seconds * 2**failures, REST_SECONDS)
                continue
            failures = 0
            await asyncio.sleep(SETTLE_SECONDS)
            await self._reload_pages()

    async def _pause(self) -> None:
        """Wait for the next change, or for the interval; where a page could not be loaded completely, always for the
        interval."""
        if self._incomplete:
            await asyncio.sleep(self._seconds)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._seconds)

    async def _listen(self) -> None:
        """Follow the stream; while there is none, the newest answer is polled instead."""
        while True:
            try:
                api = await self._api()
                async for line in api.lines("scorer", "/v1/stream"):
                    self._streaming = True
                    if line.startswith("data:"):
                        self._woken.set()
            except TellbackError as error:
                write = log.warning
                if error.service:  # pages show the outage of a service themselves
                    write = log.debug
                write("no_stream", code=error.code)
            self._streaming = False
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _reload_pages(self) -> None:
        results = await asyncio.gather(*(reload() for reload in list(self._reloads)), return_exceptions=True)
        self._incomplete = not all(result is True for result in results)
        for result in results:
            if isinstance(result, Exception):
                log.error("page_not_refreshed", exc_info=result)

    async def _look(self) -> tuple[str, str]:
        """The newest answer and follow-up; an unavailable service shows as its error code, so that an outage and its
        end are changes too."""
        try:
            api = await self._api()
        except TellbackError as error:
            return (error.code, "")
        tasks = await _newest(api, FOLLOW_UPS)
        if self._streaming:
            return "streaming", tasks
        return await _newest(api, RESPONSES), tasks


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Start the work again after a pause when it fails unforeseen: otherwise the pages would never reload."""
    failures = 0
    while True:
        try:
            await work()
        except Exception as error:
            failures += 1
            log.error("notifier_failed", failures=failures, exc_info=error)
        await asyncio.sleep(pause_after(failures or 1))


async def _newest(api: Api, question: Question[Page[Any]]) -> str:
    """The newest item of a list as JSON, or the code of the error."""
    try:
        return (await api.ask(question, sort="-updated_at", limit=1)).model_dump_json()
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
        """Stop all notifiers."""
        for notifier in self._notifiers.values():
            notifier.stop()
