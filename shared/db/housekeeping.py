"""Deletes what a service's schema keeps for a limited time: published outbox rows, inbox ids, parked records.

All go in pieces, the oldest first, each piece in a transaction of its own that takes a fraction of a second. So nothing
waits for the deletion, and however much there is, no statement comes near the statement timeout.
"""

from datetime import timedelta

from shared.clock import Clock
from shared.db.engine import Database
from shared.db.parked import DROPPED_AT_ONCE, WhenDropped, drop_old_conflicts, drop_old_letters
from shared.db.pieces import PIECE, delete_piece
from shared.db.transaction import WriteTx
from shared.telemetry.metrics import parked_purged_total
from shared.topics import TOPICS

KEEP_PUBLISHED = timedelta(hours=1)
KEEP_IDS = max(topic.stays for topic in TOPICS)
"""A record can be read again as long as it may lie in its topic: 21 days at the longest, and a day for the segment."""
LETTERS_PIECE = 500
"""Each dead letter may have to be noted at the import of its row, so these pieces are smaller."""


class Housekeeping:
    """The housekeeping of one schema. `keep_parked`: how long dead letters are kept; `when_dropped` is what the service
    does about each that goes. Any number of replicas may do it at once: each passes over the rows of the others."""

    def __init__(
        self, database: Database, clock: Clock, keep_parked: timedelta, when_dropped: WhenDropped | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._keep_parked = keep_parked
        self._when_dropped = when_dropped

    async def clean(self) -> bool:
        """Delete one piece of each kind; returns whether there may be more. Raises `Unavailable`."""
        more = await self._database.retrying(_clean_outbox) == PIECE
        more |= await self._database.retrying(_clean_inbox) == PIECE
        more |= await self._database.retrying(drop_old_conflicts) == DROPPED_AT_ONCE
        more |= await self._database.retrying(self._clean_letters) == LETTERS_PIECE
        return more

    async def _clean_letters(self, tx: WriteTx) -> int:
        dropped = await drop_old_letters(tx, self._keep_parked, LETTERS_PIECE)
        if self._when_dropped is not None:
            for letter in dropped:
                await self._when_dropped(tx, letter, self._clock.now())
        tx.after_commit(lambda: parked_purged_total.inc(len(dropped)))
        return len(dropped)


async def _clean_outbox(tx: WriteTx) -> int:
    old = "published_at < now() - cast(:kept as interval)"
    return await delete_piece(tx, "outbox", old, "published_at", PIECE, kept=KEEP_PUBLISHED)


async def _clean_inbox(tx: WriteTx) -> int:
    old = "seen_at < now() - cast(:kept as interval)"
    return await delete_piece(tx, "inbox", old, "seen_at", PIECE, kept=KEEP_IDS)
