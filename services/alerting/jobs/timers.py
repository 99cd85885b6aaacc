"""Work that comes by time. Every row says itself when it is due, so nothing is lost over a restart; this only looks."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar

from services.alerting.handlers.resources import Resources
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import Unavailable
from shared.isolation import Held
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
Item = TypeVar("Item", bound=Hashable)
Work = Callable[[Database, Held[Any]], Awaitable[int]]
"""One look; answers how much there was to do."""


def each(
    resources: Resources,
    due: Callable[[WriteTx, Resources, Sequence[Item]], Awaitable[Sequence[Item]]],
    act: Callable[[WriteTx, Resources, Sequence[Item]], Awaitable[int]],
) -> Work:
    """Work on rows: `due` finds some but for those that are held, `act` does these and answers how much that was. A
    row with which that fails stops no other.
    """

    async def work(database: Database, held: Held[Item]) -> int:
        done = 0

        async def do(items: Sequence[Item]) -> None:
            nonlocal done
            done += await database.retrying(lambda tx: act(tx, resources, items))

        await held.each(await database.retrying(lambda tx: due(tx, resources, held.now())), do)
        return done

    return work


def at_once(resources: Resources, act: Callable[[WriteTx, Resources], Awaitable[int]]) -> Work:
    """Work that looks at no row by itself, in one transaction."""

    async def work(database: Database, _held: Held[Any]) -> int:
        return await database.retrying(lambda tx: act(tx, resources))

    return work


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
        self._held: Held[Any] = Held(name)

    async def run(self) -> None:
        """Until cancelled; a database that is away is waited for, and what is held is tried as soon as it may be."""
        while True:
            try:
                while await self.once():
                    pass
            except Unavailable as error:
                log.warning("timer_waits", timer=self._name, code=error.code)
            await asyncio.sleep(self._held.rest(self._seconds))

    async def once(self) -> int:
        """Look once; answers how much there was to do."""
        done = await self._work(self._database, self._held)
        if done:
            self._committed()
        return done
