"""What alerting knows of accounts and people: its copy of the directory, the newest scores, the message counters."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping

from services.alerting.domain.people import Account, PersonKey, Stakeholder
from services.alerting.domain.tasks import Contact
from shared.db.sql import BOUND_PEOPLE, people_binds
from shared.db.transaction import ReadTx, WriteTx

ACCOUNT = (
    "account_id, name, industry, tier, region, revenue_amount, revenue_currency, renewal_on, owner_name, owner_email,"
    " sponsor_name, sponsor_email, removed, record"
)
STAKEHOLDER = "account_id, stakeholder_id, name, email, type, job_title, removed, record"
_UPSERT_SNAPSHOT = """
    insert into account_scores as s (account_id, sequence, account_class, figures, computed_at, told_class,
        class_sequence)
    values (:account_id, :sequence, :account_class, cast(:figures as jsonb), :computed_at, :account_class, :sequence)
    on conflict (account_id) do update set sequence = excluded.sequence, account_class = excluded.account_class,
        figures = excluded.figures, computed_at = excluded.computed_at,
        told_class = case when s.class_sequence < excluded.sequence then excluded.told_class else s.told_class end,
        class_sequence = greatest(s.class_sequence, excluded.sequence)
    where s.sequence < excluded.sequence
"""


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """The newest snapshot that was published of an account: `figures[window]` as far as messages show them."""

    account_id: str
    sequence: int
    account_class: str
    figures: dict[str, Any]
    computed_at: datetime


async def accounts_by_id(tx: ReadTx, account_ids: Iterable[str]) -> dict[str, Account]:
    """The accounts; one that is not in the directory is known by its id alone."""
    ids = sorted(set(account_ids))
    if not ids:
        return {}
    rows = await tx.all(f"select {ACCOUNT} from accounts where account_id = any(cast(:ids as text[]))", ids=ids)
    accounts = {account_id: Account(account_id) for account_id in ids}
    for row in rows:
        accounts[row["account_id"]] = account_of(row)
    return accounts


async def stakeholders_by_id(tx: ReadTx, people: Iterable[PersonKey]) -> dict[PersonKey, Stakeholder]:
    """The people; one that is not in the directory is known by their ids alone."""
    pairs = sorted(set(people))
    if not pairs:
        return {}
    rows = await tx.all(
        f"select {STAKEHOLDER} from stakeholders where (account_id, stakeholder_id) in {BOUND_PEOPLE}",
        **people_binds(pairs),
    )
    stakeholders = {pair: Stakeholder(*pair) for pair in pairs}
    for row in rows:
        stakeholders[row["account_id"], row["stakeholder_id"]] = stakeholder_of(row)
    return stakeholders


async def is_owned_by(tx: ReadTx, account_id: str, owner_email: str) -> bool:
    """Whether the account has this owner in the directory."""
    return bool(
        await tx.scalar(
            "select 1 from accounts where account_id = :account_id and owner_email = :owner_email",
            account_id=account_id,
            owner_email=owner_email,
        )
    )


async def forget_stakeholder(tx: WriteTx, account_id: str, stakeholder_id: str, until: datetime) -> None:
    """Drop a person's directory row that was recorded at or before `until`, with what it says of their ids."""
    for table in ("stakeholders", "aliases"):
        await tx.execute(
            f"delete from {table} where account_id = :account_id and stakeholder_id = :stakeholder_id"
            " and recorded_at <= :until",
            account_id=account_id,
            stakeholder_id=stakeholder_id,
            until=until,
        )


async def snapshots_by_id(tx: ReadTx, account_ids: Iterable[str]) -> dict[str, AccountSnapshot]:
    """The newest snapshots of these accounts."""
    rows = await tx.all(
        "select account_id, sequence, account_class, figures, computed_at from account_scores"
        " where computed_at is not null and account_id = any(cast(:ids as text[]))",
        ids=sorted(set(account_ids)),
    )
    return {row["account_id"]: AccountSnapshot(**row) for row in rows}


async def save_snapshots(tx: WriteTx, snapshots: Iterable[AccountSnapshot]) -> None:
    """Keep the newest snapshots; an older one than is kept changes nothing."""
    rows = [
        {
            "account_id": snapshot.account_id,
            "sequence": snapshot.sequence,
            "account_class": snapshot.account_class,
            "figures": snapshot.figures,
            "computed_at": snapshot.computed_at,
        }
        for snapshot in snapshots
    ]
    await tx.execute_many(_UPSERT_SNAPSHOT, rows)


async def next_sequences(tx: WriteTx, account_ids: Iterable[str]) -> list[int]:
    """A message number for each of these accounts, which may repeat; the caller holds their locks."""
    ids = list(account_ids)
    counts = Counter(ids)
    rows = await tx.all(
        "with timeline as (select coalesce(max(timeline), 0) as beginning from restores)"
        " insert into account_sequences as sequences (account_id, last)"
        " select account_id, beginning + count from timeline,"
        " unnest(cast(:accounts as text[]), cast(:counts as bigint[])) as given(account_id, count)"
        " on conflict (account_id) do update set last = sequences.last + excluded.last"
        " - (select beginning from timeline) returning account_id, last",
        accounts=sorted(counts),
        counts=[counts[account_id] for account_id in sorted(counts)],
    )
    last_given = {row["account_id"]: row["last"] - counts[row["account_id"]] for row in rows}
    numbers = []
    for account_id in ids:
        last_given[account_id] += 1
        numbers.append(last_given[account_id])
    return numbers


def account_of(row: RowMapping) -> Account:
    """A row of `ACCOUNT` as an account; one without a record is not in the directory, and known by its id alone."""
    if row["record"] is None:
        return Account(row["account_id"])
    amount = row["revenue_amount"]
    if amount is not None:
        amount = float(amount)
    return Account(
        account_id=row["account_id"],
        name=row["name"],
        industry=row["industry"],
        tier=row["tier"],
        region=row["region"],
        revenue_amount=amount,
        revenue_currency=row["revenue_currency"],
        renewal_on=row["renewal_on"],
        closed_on=_day(row["record"].get("closed_on")),
        removed=row["removed"],
        owner=Contact(row["owner_name"], row["owner_email"]),
        sponsor=Contact(row["sponsor_name"], row["sponsor_email"]),
        attributes=row["record"].get("attributes") or {},
    )


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    return date.fromisoformat(text)


def stakeholder_of(row: RowMapping) -> Stakeholder:
    """A row of `STAKEHOLDER` as a person; one without a record is not in the directory, and known by the id alone."""
    if row["record"] is None:
        return Stakeholder(row["account_id"], row["stakeholder_id"])
    return Stakeholder(
        account_id=row["account_id"],
        stakeholder_id=row["stakeholder_id"],
        name=row["name"],
        email=row["email"],
        type=row["type"],
        job_title=row["job_title"],
        removed=row["removed"],
        attributes=row["record"].get("attributes") or {},
        email_changed_at=_moment(row["record"].get("email_changed_at")),
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    return datetime.fromisoformat(text)
