"""What comes by time: answers that rest are told, links end, old asks go. Each row says when it is due, so nothing is
lost over a restart; this only looks."""

from collections.abc import Awaitable, Callable
from typing import Final

from services.outreach.handlers.answers import tell_rested
from services.outreach.handlers.closing import call_off_closed, close_ended, skip_late
from services.outreach.handlers.retention import forget
from services.outreach.handlers.versions import Versions
from shared.background import Periodic
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx

RESTED_SECONDS: Final = 5.0
ENDED_SECONDS: Final = 60.0
FORGET_SECONDS: Final = 600.0
CLOSED_SECONDS: Final = 600.0


def timers(
    database: Database, clock: Clock, versions: Versions, wake: Callable[[], None], kept_months: int
) -> list[Periodic]:
    """The periodic work on asks; `wake` is called when it has queued something."""

    def look(name: str, seconds: float, act: Callable[[WriteTx], Awaitable[int]]) -> Periodic:
        async def work() -> bool:
            done = await database.retrying(act)
            if done:
                wake()
            return done > 0

        return Periodic(name, seconds, work)

    return [
        look("answers-rested", RESTED_SECONDS, lambda tx: tell_rested(tx, versions, clock.now())),
        look("links-ended", ENDED_SECONDS, lambda tx: close_ended(tx, clock.now())),
        look("links-late", ENDED_SECONDS, lambda tx: skip_late(tx, clock.now())),
        look("accounts-closed", CLOSED_SECONDS, lambda tx: call_off_closed(tx, clock.now())),
        look("asks-kept", FORGET_SECONDS, lambda tx: forget(tx, kept_months, clock.now())),
    ]
