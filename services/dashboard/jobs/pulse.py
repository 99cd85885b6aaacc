"""Notices that figures or follow-ups have changed, once for all open pages of a person."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from uuid import UUID

from services.dashboard.gateways.services import Api, Away, Refused
from shared.errors import TellbackError
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
Told = Callable[[], Awaitable[None]]
SETTLE_SECONDS = 0.7
"""An answer is listed a moment before the figures that follow from it: pages are told twice."""


class Pulse:
    """Asks for the newest answer and the newest follow-up, as long as a page is open."""

    def __init__(self, api: Callable[[], Awaitable[Api]], seconds: float) -> None:
        self._api, self._seconds = api, seconds
        self._told: set[Told] = set()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, told: Told) -> None:
        """Tell this page from now on."""
        self._told.add(told)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def unsubscribe(self, told: Told) -> None:
        """The page is gone; with the last one the asking ends."""
        self._told.discard(told)
        if not self._told and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        seen = await self._look()
        while True:
            await asyncio.sleep(self._seconds)
            found = await self._look()
            if found == seen:
                continue
            seen = found
            await self._tell()
            await asyncio.sleep(SETTLE_SECONDS)
            await self._tell()

    async def _tell(self) -> None:
        for result in await asyncio.gather(*(told() for told in list(self._told)), return_exceptions=True):
            if isinstance(result, Exception):
                log.error("page_not_refreshed", exc_info=result)

    async def _look(self) -> tuple[str, str]:
        """What is newest; a service that is away is news too, and so is its return."""
        try:
            api = await self._api()
        except TellbackError as error:
            return (error.code, "")
        answers = api.get("scorer", "/v1/responses", sort="-updated_at", limit=1)
        tasks = api.get("alerting", "/v1/follow-ups", sort="-updated_at", limit=1)
        return await _newest(answers), await _newest(tasks)


async def _newest(asking: Awaitable[dict[str, object]]) -> str:
    try:
        return str((await asking)["items"])
    except (Away, Refused) as error:
        return error.code


class Pulses:
    """One pulse a person."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pulses: dict[UUID, Pulse] = {}

    def of(self, user_id: UUID, api: Callable[[], Awaitable[Api]]) -> Pulse:
        """The pulse of a person."""
        if user_id not in self._pulses:
            self._pulses[user_id] = Pulse(api, self._seconds)
        return self._pulses[user_id]

    async def stop(self) -> None:
        """End all asking."""
        for pulse in self._pulses.values():
            if pulse._task is not None:
                pulse._task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pulse._task
