"""Which accounts have had no business review for a quarter, and whose owners were reminded of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.outreach.domain.reviews import QUARTER
from services.outreach.store.reviews import Row
from shared.db.transaction import ReadTx, WriteTx

_LAST_HELD = """
    (select max(known.held_on) from (
        select r.held_on from business_reviews r where r.account_id = a.account_id and r.withdrawn_at is null
        union all select h.held_on from reviews_held h where h.account_id = a.account_id) as known)"""
# Accounts that are customers still.
_ACCOUNTS = f"""
    (select a.*, {_LAST_HELD} as last_held_on from accounts a where not a.removed
        and (a.record ->> 'closed_on' is null or cast(a.record ->> 'closed_on' as date) > :today)) as a"""
_IS_DUE = "(a.last_held_on is null or a.last_held_on <= :held_before)"
LONG_AGO = date(1900, 1, 1)
"""Stands for a day that is not known in the order of the list."""


@dataclass(frozen=True, slots=True)
class DueQuestion:
    """Which accounts: `owner_email` limits the caller to an owner's, `owner` is whom the caller asks about. `quarter`:
    of which reminders are told."""

    today: date
    quarter: str
    owner_email: str | None
    owner: str | None


async def due(tx: ReadTx, asked: DueQuestion, after: tuple[date, str] | None, limit: int) -> Sequence[Row]:
    """Accounts that are due, those without a known review first, then the longest ago, behind the position `after`."""
    where = [_IS_DUE, "(cast(:owner_email as text) is null or a.owner_email = :owner_email)"]
    params: dict[str, Any] = {
        "today": asked.today,
        "held_before": asked.today - QUARTER,
        "owner_email": asked.owner_email,
        "limit": limit,
    }
    if asked.owner is not None:
        where.append("a.owner_email = :owner")
        params["owner"] = asked.owner
    if after is not None:
        where.append("(coalesce(a.last_held_on, :long_ago), a.account_id) > (:after_day, :after_id)")
        params |= {"after_day": after[0], "after_id": after[1]}
    rows = await tx.all(
        "select a.account_id, a.name as account_name, a.tier, a.owner_name, a.owner_email, a.last_held_on,"
        " m.created_at as reminded_at"
        f" from {_ACCOUNTS} left join review_reminders m on m.account_id = a.account_id and m.quarter = :quarter"
        f" where {' and '.join(where)} order by coalesce(a.last_held_on, :long_ago), a.account_id limit :limit",
        quarter=asked.quarter,
        long_ago=LONG_AGO,
        **params,
    )
    return [dict(row) for row in rows]


async def to_look_at(tx: ReadTx, today: date, looked_before: datetime, limit: int) -> Sequence[str]:
    """Accounts that are due as far as is known here, and of which the scorer was not asked since `looked_before`."""
    return await tx.column(
        f"select a.account_id from {_ACCOUNTS} left join reviews_held h on h.account_id = a.account_id"
        f" where {_IS_DUE} and (h.looked_at is null or h.looked_at <= :looked_before) order by a.account_id"
        " limit :limit",
        today=today,
        held_before=today - QUARTER,
        looked_before=looked_before,
        limit=limit,
    )


async def note_held(tx: WriteTx, account_id: str, held_on: date | None, now: datetime) -> None:
    """Note the last review that the scorer knows of."""
    await tx.execute(
        "insert into reviews_held (account_id, held_on, looked_at) values (:account_id, :held_on, :now)"
        " on conflict (account_id) do update set held_on = excluded.held_on, looked_at = excluded.looked_at",
        account_id=account_id,
        held_on=held_on,
        now=now,
    )


async def to_remind(tx: ReadTx, today: date, quarter: str, looked_after: datetime, limit: int) -> Sequence[Row]:
    """(account_id, account_name, last_held_on) of accounts that are due, by the scorer too, and of which nobody was
    reminded in this quarter."""
    rows = await tx.all(
        f"select a.account_id, a.name as account_name, a.last_held_on from {_ACCOUNTS}"
        " join reviews_held h on h.account_id = a.account_id and h.looked_at > :looked_after"
        f" where {_IS_DUE} and not exists (select from review_reminders m where m.account_id = a.account_id"
        " and m.quarter = :quarter) order by a.account_id limit :limit",
        today=today,
        held_before=today - QUARTER,
        quarter=quarter,
        looked_after=looked_after,
        limit=limit,
    )
    return [dict(row) for row in rows]


async def note_reminder(tx: WriteTx, account_id: str, quarter: str, call_key: str, now: datetime) -> bool:
    """Note that the owner is reminded by the call of this key; False where it was noted before."""
    statement = (
        "insert into review_reminders (account_id, quarter, call_key, created_at)"
        " values (:account_id, :quarter, :call_key, :now) on conflict do nothing"
    )
    return await tx.execute(statement, account_id=account_id, quarter=quarter, call_key=call_key, now=now) > 0


async def to_close(tx: ReadTx, today: date, limit: int) -> Sequence[Row]:
    """(account_id, quarter) of reminders whose account has had its review since, or is no customer any more. One
    that waits to be told is not among them: there is nothing to close yet."""
    rows = await tx.all(
        f"select m.account_id, m.quarter from review_reminders m left join {_ACCOUNTS} on a.account_id = m.account_id"
        f" where m.closed_at is null and (a.account_id is null or not {_IS_DUE}) and not exists (select from outgoing o"
        " where o.key = m.call_key and o.state = 'waiting') order by m.account_id, m.quarter limit :limit",
        today=today,
        held_before=today - QUARTER,
        limit=limit,
    )
    return [dict(row) for row in rows]


async def note_closed(tx: WriteTx, account_id: str, quarter: str, now: datetime) -> None:
    """Note that the follow-up of a reminder is closed."""
    await tx.execute(
        "update review_reminders set closed_at = :now where account_id = :account_id and quarter = :quarter",
        account_id=account_id,
        quarter=quarter,
        now=now,
    )
