"""Work that comes by time. Every row says itself when it is due, so nothing is lost over a restart; this only looks."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar

from services.alerting.handlers.resources import Resources
from shared.background import Periodic
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.isolation import Held

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


def timer(name: str, database: Database, seconds: float, work: Work, committed: Callable[[], None]) -> Periodic:
    """Does `work` every `seconds`, as long as there is any, and calls `committed` when there was."""
    held: Held[Any] = Held(name)

    async def look() -> bool:
        done = await work(database, held)
        if done:
            committed()
        return done > 0

    return Periodic(name, seconds, look, held)
