"""The queue of calls as its sender works on it. Of each ask and kind one call is made at a time, in the order in which
they were written; a claim is a lease, so a sender that dies delays its calls and loses none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import RowMapping

from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.http.client import ServiceName

LEASE: Final = timedelta(seconds=60)
"""Longer than a call may take; a call that has not ended by then is made again, under the same key."""
KEPT: Final = timedelta(days=7)
PURGED_AT_ONCE: Final = 5_000

# A call waits for the one before it of the same ask and kind, for ever where that one is stuck: an amendment without
# its response tells nothing. Facts and answers go to different topics, so neither waits for the other.
_NEXT = """
    o.state = 'waiting' and not exists (
        select 1 from outgoing p where p.ask_id = o.ask_id and p.entry < o.entry and p.state in ('waiting', 'stuck')
            and split_part(p.path, '/', 3) = split_part(o.path, '/', 3))
"""


@dataclass(frozen=True, slots=True)
class ClaimedCall:
    """A call to be made now. `attempts`: how often it was tried, this time included."""

    entry: int
    key: str
    service: ServiceName
    method: str
    path: str
    body: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call: `sent` was taken, `waiting` is made again at `due_at`, `stuck` was refused."""

    entry: int
    state: Literal["sent", "waiting", "stuck"]
    due_at: datetime | None = None
    stuck_reason: str | None = None


@dataclass(frozen=True, slots=True)
class QueuedCall:
    """A call of the queue, to be looked at."""

    entry: int
    key: str
    service: str
    method: str
    path: str
    state: str
    attempts: int
    due_at: datetime
    stuck_reason: str | None
    account_id: str
    ask_id: UUID | None
    created_at: datetime
    sent_at: datetime | None


async def claim(tx: WriteTx, now: datetime, most: int) -> list[ClaimedCall]:
    """Take the calls that are due, of each ask one of a kind; those that another sender takes now are left to it."""
    rows = await tx.all(
        "update outgoing set attempts = attempts + 1, due_at = :until where entry in (select o.entry from outgoing o"
        f" where o.due_at <= :now and {_NEXT} order by o.due_at, o.entry limit :most for update of o skip locked)"
        " returning entry, key, service, method, path, body, attempts",
        now=now,
        until=now + LEASE,
        most=most,
    )
    return [ClaimedCall(**row) for row in rows]


async def settle(tx: WriteTx, now: datetime, outcomes: Sequence[Outcome]) -> None:
    """Write down what became of calls: taken, to be made again, or stuck."""
    if not outcomes:
        return
    await tx.execute(
        "update outgoing set state = r.state, due_at = coalesce(r.due_at, outgoing.due_at),"
        " stuck_reason = r.stuck_reason, sent_at = case when r.state = 'sent' then cast(:now as timestamptz) end"
        " from unnest(cast(:entry as bigint[]), cast(:state as text[]), cast(:due_at as timestamptz[]),"
        " cast(:stuck_reason as text[])) as r(entry, state, due_at, stuck_reason)"
        " where outgoing.entry = r.entry and (outgoing.state = 'waiting' or r.state = 'sent')",
        now=now,
        **as_columns(asdict(outcome) for outcome in outcomes),
    )


async def retry(tx: WriteTx, entry: int, now: datetime) -> bool:
    """Let a stuck call be made again; returns whether there is one."""
    touched = await tx.execute(
        "update outgoing set state = 'waiting', stuck_reason = null, attempts = 0, due_at = :now"
        " where entry = :entry and state = 'stuck'",
        entry=entry,
        now=now,
    )
    return touched == 1


async def calls(tx: ReadTx, state: str, after: int, most: int) -> Sequence[QueuedCall]:
    """Calls of a state, the oldest first, after an entry."""
    rows = await tx.all(
        "select entry, key, service, method, path, state, attempts, due_at, stuck_reason, account_id, ask_id,"
        " created_at, sent_at from outgoing where state = :state and entry > :after order by entry limit :most",
        state=state,
        after=after,
        most=most,
    )
    return [_queued(row) for row in rows]


async def depth(tx: ReadTx) -> dict[str, int]:
    """How many calls wait, and how many are stuck."""
    rows = await tx.rows("select state, count(*) from outgoing where state in ('waiting', 'stuck') group by state")
    found = {"waiting": 0, "stuck": 0}
    for state, count in rows:
        found[state] = count
    return found


async def purge(tx: WriteTx, now: datetime) -> int:
    """Delete calls that were taken long ago, a bounded number; returns how many."""
    return await tx.execute(
        "delete from outgoing where entry in (select entry from outgoing where state = 'sent' and sent_at < :before"
        " order by sent_at limit :most)",
        before=now - KEPT,
        most=PURGED_AT_ONCE,
    )


def _queued(row: RowMapping) -> QueuedCall:
    return QueuedCall(**row)
