"""What this service knows of accounts: the directory, and the newest snapshot of their scores."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.benchmark.domain.cohorts import Counted
from shared.db.transaction import ReadTx, WriteTx
from shared.events.scores import AccountScoreChanged


@dataclass(frozen=True, slots=True)
class Account:
    """The attributes that comparisons and reviews need."""

    account_id: str
    name: str | None
    industry: str | None
    tier: str | None
    region: str | None
    owner_name: str | None
    owner_email: str | None
    sponsor_name: str | None
    sponsor_email: str | None
    renewal_on: date | None
    revenue_amount: float | None
    revenue_currency: str | None
    account_class: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The score of an account by one window and method."""

    account_id: str
    industry: str | None
    nps: float


async def account(tx: ReadTx, account_id: str) -> Account | None:
    """An account of the directory, also a removed one; None when it was never there."""
    row = await tx.one(
        "select a.account_id, a.name, a.industry, a.tier, a.region, a.owner_name, a.owner_email, a.sponsor_name,"
        " a.sponsor_email, a.renewal_on, cast(a.revenue_amount as float8) as revenue_amount, a.revenue_currency,"
        " s.account_class from accounts a left join snapshots s using (account_id) where a.account_id = :account_id",
        account_id=account_id,
    )
    if row is None:
        return None
    return Account(**row)


async def names_within(tx: ReadTx, text: str, but: str) -> Sequence[str]:
    """Names of other accounts that stand in the text, the longest first."""
    names = await tx.column(
        "select distinct name from accounts where account_id <> :but and length(name) > 1"
        " and position(lower(name) in lower(:text)) > 0",
        text=text,
        but=but,
    )
    return sorted(names, key=len, reverse=True)


async def standings(tx: ReadTx, window: str, method: str, owner_email: str | None) -> Sequence[Standing]:
    """The scores of all accounts (of one owner where given) that have one in this standard window."""
    rows = await tx.all(
        "select s.account_id, a.industry, cast(s.figures -> :window -> :method ->> 'nps' as float8) as nps"
        " from snapshots s left join accounts a using (account_id)"
        " where s.figures -> :window -> :method ->> 'nps' is not null"
        " and (cast(:owner as text) is null or a.owner_email = :owner)",
        window=window,
        method=method,
        owner=owner_email,
    )
    return [Standing(**row) for row in rows]


async def counted_accounts(tx: ReadTx, window: str, method: str, owner_email: str | None) -> Sequence[Counted]:
    """What each account that counts anything, now or in the window before, gives to a cohort. `own` are those of the
    owner where one is given, else all."""
    rows = await tx.all(
        "select s.account_id, a.industry, a.tier, a.region, s.figures -> :window -> :method as figures,"
        " coalesce(a.owner_email = :owner, cast(:owner as text) is null) as own"
        " from snapshots s left join accounts a using (account_id) where s.figures -> :window ? :method",
        window=window,
        method=method,
        owner=owner_email,
    )
    return [Counted.of(row["account_id"], _cell(row), row["figures"], own=row["own"]) for row in rows]


def _cell(row: Any) -> tuple[str | None, str | None, str | None]:
    return row["industry"], row["tier"], row["region"]


async def keep_snapshot(tx: WriteTx, snapshot: AccountScoreChanged) -> bool:
    """Store a snapshot unless a newer one stands; the highest `sequence` wins. True when it was stored."""
    return bool(
        await tx.execute(
            "insert into snapshots (account_id, sequence, computed_at, account_class, figures)"
            " values (:account_id, :sequence, :computed_at, :account_class, cast(:figures as jsonb))"
            " on conflict (account_id) do update set sequence = excluded.sequence, computed_at = excluded.computed_at,"
            " account_class = excluded.account_class, figures = excluded.figures"
            " where excluded.sequence > snapshots.sequence",
            account_id=snapshot.account_id,
            sequence=snapshot.sequence,
            computed_at=snapshot.computed_at,
            account_class=snapshot.account_class,
            figures=json.dumps(snapshot.figures),
        )
    )


async def forget_snapshot(tx: WriteTx, account_id: str) -> None:
    """Drop the figures of an account that was erased. The scorer counts on, so that what it publishes of what is left
    takes the place of an older snapshot that is still on its way."""
    await tx.execute("delete from snapshots where account_id = :account_id", account_id=account_id)
