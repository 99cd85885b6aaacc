"""Changes that overtook their response: looked at again when it comes, and given up when it never does."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial

from services.scorer import SCHEMA
from services.scorer.domain.history import refusal
from services.scorer.store import pending
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.parked import put_aside
from shared.db.transaction import WriteTx
from shared.telemetry.metrics import conflicts_total, dlq_records_total, pending_changes, pending_changes_dropped_total
from shared.verdicts import Outcome, Verdict, conflict, dead_letter

OVERDUE = 1_000


def verdict_on(reason: str) -> Verdict:
    """What becomes of a change that cannot count for its response."""
    return dead_letter(reason) if reason == "invalid_change" else conflict(reason)


class Pending:
    """Settles pending changes. A record counted as pending stays so in the counts, whatever becomes of it later: it is
    what it was when it was read, and the sum of the outcomes remains the records read."""

    def __init__(self, topic_prefix: str = "") -> None:
        self._prefix = topic_prefix

    async def settle(self, tx: WriteTx, response_ids: Collection[str]) -> None:
        """The responses have come: what does not fit them is parked, as if it had been read after them."""
        if not response_ids:
            return
        unfit = []
        for one in await pending.take_arrived(tx, response_ids, self._prefix):
            reason = refusal(one.subject, one.change)
            if reason is None:
                continue
            unfit.append(one.change.event_id)
            if one.record is not None:
                verdict = verdict_on(reason)
                await put_aside(tx, self._prefix, one.record, verdict, SCHEMA)
                dead = verdict.outcome is Outcome.DEAD_LETTERED
                tx.after_commit((dlq_records_total if dead else conflicts_total).labels(reason).inc)
        await pending.forget(tx, unfit)

    async def overdue(self, database: Database, passed_over: Sequence[str]) -> Sequence[str]:
        """The responses that are to be settled, since they came at the same moment as a change and missed it."""
        async with database.read_once() as tx:
            return await pending.overdue(tx, OVERDUE, passed_over)


async def give_up(tx: WriteTx, clock: Clock, days: int) -> int:
    """Drop amendments whose response has not come within so many days; returns how many. What waits on is shown."""
    dropped = await pending.drop_amendments(tx, clock.now() - timedelta(days=days))
    tx.after_commit(partial(pending_changes_dropped_total.inc, dropped))
    for kind, waiting in (await pending.count(tx)).items():
        tx.after_commit(partial(pending_changes.labels(kind).set, waiting))
    return dropped
