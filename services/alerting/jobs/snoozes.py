"""Wakes follow-ups whose snooze is over. The row says until when, so nothing is lost over a restart."""

import asyncio
from collections.abc import Callable

from services.alerting.handlers.follow_ups import wake_snoozed
from services.alerting.handlers.resources import Resources
from shared.db.engine import Database
from shared.errors import Unavailable
from shared.telemetry.logging import get_logger

log = get_logger(__name__)


class Alarm:
    """Looks for tasks to wake every `seconds`."""

    def __init__(self, database: Database, resources: Resources, seconds: float, committed: Callable[[], None]) -> None:
        self._database = database
        self._resources = resources
        self._seconds = seconds
        self._committed = committed

    async def run(self) -> None:
        """Wake until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.wake_once()
            except Unavailable as error:
                log.warning("snoozes_wait", code=error.code)
            await asyncio.sleep(self._seconds)

    async def wake_once(self) -> int:
        """Wake what is due; answers how many."""
        woken = await self._database.retrying(lambda tx: wake_snoozed(tx, self._resources))
        if woken:
            self._committed()
        return woken
