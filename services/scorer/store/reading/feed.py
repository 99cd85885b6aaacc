"""Responses in the order of the transactions that changed them last, for those who keep a copy.

Only what was changed before the oldest transaction that still runs is read: all of it is committed or undone, so
nothing can appear later before a position that a reader has passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from services.scorer.store.reading.responses import COLUMNS
from services.scorer.store.responses import with_answers
from shared.db.sql import and_given
from shared.db.transaction import ReadTx

LONGEST_TRANSACTION: Final = timedelta(minutes=2)
"""More than the time-outs of statements and of idle transactions let one last."""
STRETCH: Final = 50_000
"""Changes that one question goes through, so that it ends in time also where few of them are asked for."""
_HORIZON = "pg_snapshot_xmin(pg_current_snapshot())"
_PAGE = f"""
    select {COLUMNS}, r.changed_xid::text as xid,
        case
            when r.erased or exists (
                select from erasures waiting where waiting.applied_at is null and waiting.account_id = r.account_id
                    and waiting.stakeholder_id = r.stakeholder_id
                    and least(r.recorded_at, r.answered_at) <= waiting.erased_at
            ) then 'erased'
            when r.withdrawn then 'withdrawn'
            when r.test then 'test'
        end as deleted
    from responses r
    where r.changed_xid < {_HORIZON} and (r.changed_xid, r.response_id) > (cast(cast(:xid as text) as xid8), :id)
        and (r.changed_xid, r.response_id) <= (cast(cast(:end_xid as text) as xid8), :end_id)
"""
_STRETCH_END = f"""
    select r.changed_xid::text as xid, r.response_id from responses r
    where r.changed_xid < {_HORIZON} and (r.changed_xid, r.response_id) > (cast(cast(:xid as text) as xid8), :id)
    order by r.changed_xid, r.response_id offset :stretch limit 1
"""
# Backwards from the newest change: a reader is given all that is passed here. For a reader of everything the oldest
# change says so at once.
_BEFORE = f"""
    select r.changed_xid::text as xid, r.response_id from responses r
    where r.changed_xid < {_HORIZON} and r.changed_at < :moment
        and (select o.changed_at from responses o order by o.changed_xid, o.response_id limit 1) < :moment
    order by r.changed_xid desc, r.response_id desc limit 1
"""


class Position(NamedTuple):
    """How far a reader has come. The timeline is another one after a restore: transactions are counted anew then."""

    timeline: int
    xid: int
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class FeedQuestion:
    """Of which responses the changes are asked for, by what never changes; None = all."""

    account_id: str | None
    survey_type: str | None
    survey_id: str | None

    @property
    def is_of_some(self) -> bool:
        """Whether not all responses are asked for."""
        return (self.account_id, self.survey_type, self.survey_id) != (None, None, None)


async def horizon(tx: ReadTx) -> Position:
    """The position behind all that may be read in this transaction's snapshot."""
    [(timeline, xid)] = await tx.rows(f"select timeline, {_HORIZON}::text from feed")
    return Position(timeline, int(xid))


async def position_before(tx: ReadTx, timeline: int, moment: datetime) -> Position:
    """A position behind which everything lies that was committed at the moment or later."""
    row = await tx.one(_BEFORE, moment=moment - LONGEST_TRANSACTION)
    if row is None:
        return Position(timeline, 0)
    return Position(timeline, int(row["xid"]), row["response_id"])


async def stretch_end(tx: ReadTx, position: Position) -> Position | None:
    """The position `STRETCH` changes later; None where there are not so many."""
    row = await tx.one(_STRETCH_END, xid=str(position.xid), id=position.response_id, stretch=STRETCH)
    if row is None:
        return None
    return Position(position.timeline, int(row["xid"]), row["response_id"])


async def changed_after(
    tx: ReadTx, position: Position, end: Position, asked: FeedQuestion, limit: int
) -> Sequence[tuple[Position, dict[str, Any]]]:
    """Up to `limit` responses behind the position and up to the end, as they stand now, each with its own position.
    `deleted` is None, or why a copy must not have the response: withdrawn, erased, test."""
    conditions = {
        "r.account_id = :account_id": asked.account_id,
        "r.survey_type = :survey_type": asked.survey_type,
        "r.survey_id = :survey_id": asked.survey_id,
    }
    rows = await tx.all(
        f"{_PAGE}{and_given(conditions)} order by r.changed_xid, r.response_id limit :rows",
        xid=str(position.xid),
        id=position.response_id,
        end_xid=str(end.xid),
        end_id=end.response_id,
        account_id=asked.account_id,
        survey_type=asked.survey_type,
        survey_id=asked.survey_id,
        rows=limit,
    )
    found = []
    for row in await with_answers(tx, rows):
        found.append((Position(position.timeline, int(row.pop("xid")), row["response_id"]), row))
    return found
