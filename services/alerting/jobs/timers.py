"""Work that comes by time. Every row says itself when it is due, so nothing is lost over a restart; this only looks."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import Unavailable
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
Work = Callable[[WriteTx], Awaitable[int]]
"""One transaction of work; answers how much there was."""


class Timer:
    """Does `work` every `seconds`, as long as there is any, and calls `committed` when there was."""

    def __init__(
        self, name: str, database: Database, seconds: float, work: Work, committed: Callable[[], None]
    ) -> None:
        self._name = name
        self._database = database
        self._seconds = seconds
        self._work = work
        self._committed = committed

    async def run(self) -> None:
        """Until cancelled; a database that is away is waited for."""
        while True:
            try:
                while await self.once():
                    pass
            except Unavailable as error:
                log.warning("timer_waits", timer=self._name, code=error.code)
            await asyncio.sleep(self._seconds)

    async def once(self) -> int:
        """Look once; answers how much there was to do."""
        done = await self._database.retrying(self._work)
        if done:
            self._committed()
        return done
