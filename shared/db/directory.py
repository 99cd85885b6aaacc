"""The directory of accounts and people as each service keeps it: the collector's own table and the others' copies."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from shared.db.transaction import WriteTx
from shared.events.directory import (
    AccountRecord,
    AccountRemoved,
    AccountUpserted,
    Contact,
    Money,
    StakeholderRemoved,
    StakeholderUpserted,
)
from shared.verdicts import CHANGE, REPEAT, Received, Verdict


def directory_ddl_v1() -> list[str]:
    """Statements that create both tables; frozen. The row of a removed account or person stays, since its attributes
    still count.

    A field has a column where a statement filters, sorts or shows it; all others are read from `record`. A later column
    is `directory_ddl_v2()`, called by a new revision of each service that keeps the directory.
    """
    return [
        """
        create table accounts (
            account_id text primary key,
            name text,
            industry text,
            tier text,
            region text,
            revenue_amount numeric,
            revenue_currency text,
            renewal_on date check (isfinite(renewal_on)),
            owner_name text,
            owner_email text,
            sponsor_name text,
            sponsor_email text,
            parent_account_id text,
            record jsonb not null,
            removed boolean not null default false,
            recorded_at timestamptz not null,
            event_id uuid not null
        )
        """,
        "create index accounts_owner on accounts (owner_email)",
        "create index accounts_industry on accounts (industry)",
        """
        create table stakeholders (
            account_id text not null,
            stakeholder_id text not null,
            name text,
            email text,
            type text,
            job_title text,
            job_level text,
            record jsonb not null,
            removed boolean not null default false,
            recorded_at timestamptz not null,
            event_id uuid not null,
            primary key (account_id, stakeholder_id)
        )
        """,
    ]


_ACCOUNT_COLUMNS = (
    "account_id, name, industry, tier, region, revenue_amount, revenue_currency, renewal_on, owner_name, owner_email,"
    " sponsor_name, sponsor_email, parent_account_id, record, removed, recorded_at, event_id"
)
_STAKEHOLDER_COLUMNS = (
    "account_id, stakeholder_id, name, email, type, job_title, job_level, record, removed, recorded_at, event_id"
)


def _upsert(table: str, columns: str, key: str) -> str:
    names = [column.strip() for column in columns.split(",")]
    keys = [column.strip() for column in key.split(",")]
    binds = {name: f":{name}" for name in names} | {"record": "cast(:record as jsonb)"}
    values = ", ".join(binds.values())
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return (
        f"insert into {table} ({columns}) values ({values}) on conflict ({key}) do update set {changes}"
        f" where (excluded.recorded_at, excluded.event_id) > ({table}.recorded_at, {table}.event_id)"
    )


UPSERT_ACCOUNT = _upsert("accounts", _ACCOUNT_COLUMNS, "account_id")
UPSERT_STAKEHOLDER = _upsert("stakeholders", _STAKEHOLDER_COLUMNS, "account_id, stakeholder_id")


def account_row(event: AccountUpserted | AccountRemoved) -> dict[str, Any]:
    """The columns of an account."""
    amount, currency = _money(event.annual_revenue)
    owner_name, owner_email = _contact(event.owner)
    sponsor_name, sponsor_email = _contact(event.sponsor)
    return {
        "account_id": event.account_id,
        "name": event.name,
        "industry": event.industry,
        "tier": event.tier,
        "region": event.region,
        "revenue_amount": amount,
        "revenue_currency": currency,
        "renewal_on": event.renewal_on,
        "owner_name": owner_name,
        "owner_email": owner_email,
        "sponsor_name": sponsor_name,
        "sponsor_email": sponsor_email,
        "parent_account_id": event.parent_account_id,
        "record": AccountRecord.model_validate(event.model_dump()).model_dump_json(),
        "removed": isinstance(event, AccountRemoved),
        "recorded_at": event.recorded_at,
        "event_id": event.event_id,
    }


def _money(sum_of_money: Money | None) -> tuple[Decimal | None, str | None]:
    if sum_of_money is None:
        return None, None
    return sum_of_money.amount, sum_of_money.currency


def _contact(contact: Contact | None) -> tuple[str | None, str | None]:
    """Name and e-mail address of a colleague; the address in lower case, since it is compared."""
    if contact is None:
        return None, None
    if not contact.email:
        return contact.name, None
    return contact.name, contact.email.lower()


def stakeholder_row(event: StakeholderUpserted | StakeholderRemoved) -> dict[str, Any]:
    """The columns of a person; a removed one keeps ids and type only."""
    record = event.model_dump_json(exclude={"event_id", "recorded_at"})
    row: dict[str, Any] = dict.fromkeys(("name", "email", "job_title", "job_level"))
    if isinstance(event, StakeholderUpserted):
        row = {name: getattr(event, name) for name in row}
    return row | {
        "account_id": event.account_id,
        "stakeholder_id": event.stakeholder_id,
        "type": event.type,
        "record": record,
        "removed": isinstance(event, StakeholderRemoved),
        "recorded_at": event.recorded_at,
        "event_id": event.event_id,
    }


class DirectoryReplica:
    """Keeps a service's copy of the directory: greatest (recorded_at, event_id) wins, whatever the order of arrival."""

    @staticmethod
    async def apply(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        """A batch handler for the topic `directory`: CHANGE where the row was replaced, REPEAT where the stored row is
        newer."""
        verdicts = []
        for record in records:
            data = record.event.data
            if isinstance(data, AccountUpserted | AccountRemoved):
                touched = await tx.execute(UPSERT_ACCOUNT, **account_row(data))
            elif isinstance(data, StakeholderUpserted | StakeholderRemoved):
                touched = await tx.execute(UPSERT_STAKEHOLDER, **stakeholder_row(data))
            else:
                raise TypeError(f"not a directory event: {record.event.name}")
            if touched:
                verdicts.append(CHANGE)
            else:
                verdicts.append(REPEAT)
        return verdicts

    @staticmethod
    async def pass_over(_: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        """A batch handler for the people of the directory in services that do not need them: data that is not stored
        need not be erased."""
        return [CHANGE] * len(records)
