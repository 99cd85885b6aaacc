"""The tables of the directory, of which the other services keep copies."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import starmap
from typing import Any

from services.collector.domain.doubles import Listed
from shared.db.directory import UPSERT_ACCOUNT, UPSERT_STAKEHOLDER, account_row, stakeholder_row
from shared.db.sql import BOUND_PEOPLE, people_binds
from shared.db.transaction import ReadTx, WriteTx
from shared.events.directory import AccountRemoved, AccountUpserted, StakeholderRemoved, StakeholderUpserted

Person = tuple[str, str]
"""account_id and stakeholder_id."""
DirectoryEvent = AccountUpserted | AccountRemoved | StakeholderUpserted | StakeholderRemoved


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored record; `owner_email` (lower case) is an account's."""

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
    found = {}
    for row in rows:
        found[row["account_id"]] = Stored(row["record"], row["removed"], row["recorded_at"], row["owner_email"])
    return found


async def stakeholders(tx: ReadTx, people: Iterable[Person]) -> dict[Person, Stored]:
    """The people who are or were in the directory."""
    rows = await tx.all(
        "select account_id, stakeholder_id, record, removed, recorded_at from stakeholders"
        f" where (account_id, stakeholder_id) in {BOUND_PEOPLE}",
        **people_binds(people),
    )
    found = {}
    for row in rows:
        found[row["account_id"], row["stakeholder_id"]] = Stored(row["record"], row["removed"], row["recorded_at"])
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter of a list: present records of the owner, with the text in their name or id, changed since a time,
    that have an attribute."""

    owner_email: str | None
    search: str | None
    updated_since: datetime | None
    attribute: str | None
    after: str | None
    limit: int


async def list_accounts(tx: ReadTx, wanted: Wanted) -> list[Stored]:
    """Accounts in the order of their ids."""
    rows = await tx.all(
        "select record, removed, recorded_at, owner_email from accounts where not removed"
        " and (cast(:owner_email as text) is null or owner_email = :owner_email)"
        " and (cast(:search as text) is null or strpos(lower(concat(account_id, ' ', name)), lower(:search)) > 0)"
        " and (cast(:updated_since as timestamptz) is null or recorded_at >= :updated_since)"
        " and (cast(:attribute as text) is null or jsonb_exists(record -> 'attributes', :attribute))"
        " and (cast(:after as text) is null or account_id > :after) order by account_id limit :limit",
        **asdict(wanted),
    )
    return [Stored(**row) for row in rows]


async def list_stakeholders(tx: ReadTx, account_id: str, wanted: Wanted) -> list[Stored]:
    """The people of an account in the order of their ids; none of an account that the owner does not own."""
    rows = await tx.all(
        "select record, removed, recorded_at from stakeholders where account_id = :account_id and not removed"
        " and (cast(:owner_email as text) is null or exists (select from accounts"
        " where accounts.account_id = stakeholders.account_id and owner_email = :owner_email))"
        " and (cast(:search as text) is null or strpos(lower(concat(stakeholder_id, ' ', name)), lower(:search)) > 0)"
        " and (cast(:updated_since as timestamptz) is null or recorded_at >= :updated_since)"
        " and (cast(:attribute as text) is null or jsonb_exists(record -> 'attributes', :attribute))"
        " and (cast(:after as text) is null or stakeholder_id > :after) order by stakeholder_id limit :limit",
        account_id=account_id,
        **asdict(wanted),
    )
    return [Stored(**row) for row in rows]


async def people_of(tx: ReadTx, account_id: str) -> list[Listed]:
    """Everybody whom the directory lists at an account."""
    rows = await tx.rows(
        "select stakeholder_id, name, email from stakeholders where account_id = :account_id and not removed",
        account_id=account_id,
    )
    return list(starmap(Listed, rows))


async def parents_above(tx: ReadTx, account_ids: Iterable[str]) -> dict[str, str | None]:
    """The accounts and all that stand above them: account_id -> its parent."""
    rows = await tx.rows(
        "with recursive above as (select account_id, parent_account_id from accounts"
        " where not removed and account_id = any(cast(:ids as text[]))"
        " union select p.account_id, p.parent_account_id from accounts p"
        " join above a on p.account_id = a.parent_account_id where not p.removed)"
        " select account_id, parent_account_id from above",
        ids=list(account_ids),
    )
    return {account_id: parent for account_id, parent in rows}


async def events_of_accounts(tx: ReadTx) -> AsyncIterator[DirectoryEvent]:
    """The last event of every account that is or was in the directory, an erased one as well."""
    rows = tx.stream(
        "select a.record, a.removed, a.recorded_at, a.event_id, e.erased_at from accounts a left join erasures e"
        " on e.receipt_id = a.event_id and e.account_id = a.account_id order by a.account_id"
    )
    async for row in rows:
        common = {"event_id": row["event_id"], "recorded_at": row["recorded_at"]}
        if row["removed"]:
            yield AccountRemoved.model_validate({**row["record"], **common, "erased_at": row["erased_at"]})
        else:
            yield AccountUpserted.model_validate({**row["record"], **common})


async def events_of_people(tx: ReadTx) -> AsyncIterator[DirectoryEvent]:
    """The last event of everybody who is or was in the directory."""
    rows = tx.stream(
        "select record, removed, recorded_at, event_id from stakeholders order by account_id, stakeholder_id"
    )
    async for row in rows:
        model: type[StakeholderUpserted | StakeholderRemoved] = StakeholderUpserted
        if row["removed"]:
            model = StakeholderRemoved
        told = {"event_id": row["event_id"], "recorded_at": row["recorded_at"]}
        yield model.model_validate({**row["record"], **told})


async def save(tx: WriteTx, events: Sequence[DirectoryEvent]) -> None:
    """Write the records of the events; of several with one key the last wins."""
    account_rows, stakeholder_rows = [], []
    for event in events:
        if isinstance(event, AccountUpserted | AccountRemoved):
            account_rows.append(account_row(event))
        else:
            stakeholder_rows.append(stakeholder_row(event))
    await tx.execute_many(UPSERT_ACCOUNT, account_rows)
    await tx.execute_many(UPSERT_STAKEHOLDER, stakeholder_rows)
