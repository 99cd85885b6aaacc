"""The directory itself, of which the other services keep copies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.db.directory import UPSERT_ACCOUNT, UPSERT_STAKEHOLDER, account_row, stakeholder_row
from shared.db.transaction import ReadTx, WriteTx
from shared.events.directory import AccountRemoved, AccountUpserted, StakeholderRemoved, StakeholderUpserted

Person = tuple[str, str]
"""account_id and stakeholder_id."""
DirectoryEvent = AccountUpserted | AccountRemoved | StakeholderUpserted | StakeholderRemoved


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it stands; `owner_email` (lower case) is an account's."""

    record: Mapping[str, Any]
    removed: bool
    recorded_at: datetime
    owner_email: str | None = None


async def accounts(tx: ReadTx, account_ids: Iterable[str]) -> dict[str, Stored]:
    """The accounts that are or were in the directory."""
    rows = await tx.all(
        "select account_id, record, removed, recorded_at, owner_email from accounts"
        " where account_id = any(cast(:ids as text[]))",
        ids=list(account_ids),
    )
    return {
        row["account_id"]: Stored(row["record"], row["removed"], row["recorded_at"], row["owner_email"]) for row in rows
    }


async def stakeholders(tx: ReadTx, people: Iterable[Person]) -> dict[Person, Stored]:
    """The people who are or were in the directory."""
    wanted = list(people)
    rows = await tx.all(
        "select account_id, stakeholder_id, record, removed, recorded_at from stakeholders"
        " where (account_id, stakeholder_id) in"
        " (select * from unnest(cast(:accounts as text[]), cast(:people as text[])))",
        accounts=[account for account, _ in wanted],
        people=[person for _, person in wanted],
    )
    return {
        (row["account_id"], row["stakeholder_id"]): Stored(row["record"], row["removed"], row["recorded_at"])
        for row in rows
    }


async def save(tx: WriteTx, events: Sequence[DirectoryEvent]) -> None:
    """Write the records that the events carry; the last of a key stands."""
    await tx.execute_many(
        UPSERT_ACCOUNT,
        [account_row(event) for event in events if isinstance(event, AccountUpserted | AccountRemoved)],
    )
    await tx.execute_many(
        UPSERT_STAKEHOLDER,
        [stakeholder_row(event) for event in events if isinstance(event, StakeholderUpserted | StakeholderRemoved)],
    )
