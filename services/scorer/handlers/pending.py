"""Changes that overtook their response: looked at again when it comes, and given up when it never does."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial

from services.scorer import SCHEMA
from services.scorer.handlers.subjects import subjects_of
from services.scorer.store import pending, responses
from shared.amendments import refusal
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.parked import put_aside
from shared.db.transaction import WriteTx
from shared.telemetry.metrics import conflicts_total, pending_changes, pending_changes_dropped_total
from shared.verdicts import conflict

OVERDUE = 1_000
MOST_WAITING = 100_000
"""Amendments of one sender that may wait for their responses."""
DROPPED_AT_ONCE = 50_000
"""Of those beyond it: one statement has 10 s."""


class Pending:
    """Settles pending changes. A record counted as pending stays so in the counts, whatever becomes of it later: it is
    what it was when it was read, and the sum of the outcomes remains the records read."""

    def __init__(self, topic_prefix: str = "") -> None:
        self._prefix = topic_prefix

    async def settle(self, tx: WriteTx, response_ids: Collection[str]) -> None:
        """The responses have come: what does not fit them is parked, as if it had been read after them."""
        if not response_ids:
            return
        arrived = await pending.take_arrived(tx, response_ids, self._prefix)
        owners = await responses.owners(tx, response_ids)
        subjects = await subjects_of(tx, owners, [(response_id, change) for response_id, change, _ in arrived])
        unfit = []
        for response_id, change, record in arrived:
            reason = refusal(subjects[response_id], change)
            if reason is None:
                continue
            unfit.append(change.event_id)
            if record is not None:
                await put_aside(tx, self._prefix, record, conflict(reason), SCHEMA)
                tx.after_commit(conflicts_total.labels(reason).inc)
        await pending.forget(tx, unfit)

    async def overdue(self, database: Database, passed_over: Sequence[str]) -> Sequence[str]:
        """The responses that are to be settled, since they came at the same moment as a change and missed it."""
        async with database.read_once() as tx:
            return await pending.overdue(tx, OVERDUE, passed_over)


async def give_up(tx: WriteTx, clock: Clock, days: int, most: int = MOST_WAITING) -> int:
    """Drop amendments whose response has not come within so many days, and of each sender all but the newest `most`, so
    that nobody fills the disk with changes of what does not exist; returns how many. What waits on is shown."""
    dropped = await pending.drop_amendments(tx, clock.now() - timedelta(days=days))
    if (await pending.count(tx))["amended"] > most:
        dropped += await pending.drop_beyond(tx, most, DROPPED_AT_ONCE)
    tx.after_commit(partial(pending_changes_dropped_total.inc, dropped))
    for kind, waiting in (await pending.count(tx)).items():
        tx.after_commit(partial(pending_changes.labels(kind).set, waiting))
    return dropped
