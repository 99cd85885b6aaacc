"""The directory of accounts and people as each service keeps it: the collector's own table and the others' copies."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from shared.db.sql import BOUND_PEOPLE, comma_list, people_binds
from shared.db.transaction import ReadTx, WriteTx, as_columns
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

    A field has a column where statements of several services filter, sort or show it; all others are read from
    `record`. A later column is `directory_ddl_v2()`, called by a new revision of each service that keeps the directory.
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


def aliases_ddl_v1() -> list[str]:
    """Statements that create the copy of the further ids of people: each stands for one person; frozen."""
    return [
        """
        create table aliases (
            account_id text not null,
            alias_id text not null,
            stakeholder_id text not null,
            recorded_at timestamptz not null,
            event_id uuid not null,
            primary key (account_id, alias_id)
        )
        """,
        "create index aliases_person on aliases (account_id, stakeholder_id)",
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
    changes = comma_list("{0} = excluded.{0}", names[len(keys) :])
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


# What a record says of ids takes the place of all that it said before, and of what others said of its own id before,
# unless it was merged away. Of two records that say they have an id, the later one has it.
_SAID = (
    "unnest(cast(:accounts as text[]), cast(:people as text[]), cast(:recorded_ats as timestamptz[]),"
    " cast(:event_ids as uuid[]), cast(:merged as bool[])) as e(account_id, stakeholder_id, recorded_at, event_id,"
    " merged) where a.account_id = e.account_id and (a.recorded_at, a.event_id) <= (e.recorded_at, e.event_id)"
)
FORGET_ALIASES = (
    f"delete from aliases a using {_SAID} and a.stakeholder_id = e.stakeholder_id",
    f"delete from aliases a using {_SAID} and a.alias_id = e.stakeholder_id and not e.merged",
)
UPSERT_ALIASES = """
    insert into aliases as a (account_id, alias_id, stakeholder_id, recorded_at, event_id)
    select distinct on (account_id, alias_id) account_id, alias_id, stakeholder_id, recorded_at, event_id
    from unnest(cast(:accounts as text[]), cast(:aliases as text[]), cast(:people as text[]),
        cast(:recorded_ats as timestamptz[]), cast(:event_ids as uuid[]))
        as r(account_id, alias_id, stakeholder_id, recorded_at, event_id)
    order by account_id, alias_id, recorded_at desc, event_id desc
    on conflict (account_id, alias_id) do update set stakeholder_id = excluded.stakeholder_id,
        recorded_at = excluded.recorded_at, event_id = excluded.event_id
    where (excluded.recorded_at, excluded.event_id) > (a.recorded_at, a.event_id)
"""


async def keep_directory(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
    """A batch handler for the topic `directory`, which keeps the service's copy: greatest (recorded_at, event_id) wins,
    whatever the order of arrival. CHANGE where the row was replaced, REPEAT where the stored row is newer."""
    verdicts = []
    people: dict[tuple[str, str], StakeholderUpserted | StakeholderRemoved] = {}
    for record in records:
        data = record.event.data
        if isinstance(data, AccountUpserted | AccountRemoved):
            touched = await tx.execute(UPSERT_ACCOUNT, **account_row(data))
        elif isinstance(data, StakeholderUpserted | StakeholderRemoved):
            touched = await tx.execute(UPSERT_STAKEHOLDER, **stakeholder_row(data))
            if touched:
                people[data.account_id, data.stakeholder_id] = data
        else:
            raise TypeError(f"not a directory event: {record.event.name}")
        if touched:
            verdicts.append(CHANGE)
        else:
            verdicts.append(REPEAT)
    await _keep_aliases(tx, list(people.values()))
    return verdicts


async def pass_over(_: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
    """A batch handler for records that a service does not need: data that is not stored need not be erased."""
    return [CHANGE] * len(records)


async def _keep_aliases(tx: WriteTx, people: Sequence[StakeholderUpserted | StakeholderRemoved]) -> None:
    """Keep the ids that these records, which differ, say they have."""
    said: list[dict[str, Any]] = []
    claimed: list[dict[str, Any]] = []
    for data in people:
        merged = isinstance(data, StakeholderRemoved) and data.merged_into is not None
        row = {
            "accounts": data.account_id,
            "people": data.stakeholder_id,
            "recorded_ats": data.recorded_at,
            "event_ids": data.event_id,
        }
        said.append(row | {"merged": merged})
        if not merged:
            claimed += [row | {"aliases": alias} for alias in data.aliases]
    if said:
        bound = as_columns(said)
        for statement in FORGET_ALIASES:
            await tx.execute(statement, **bound)
    if claimed:
        await tx.execute(UPSERT_ALIASES, **as_columns(claimed))


def of_person(account_id: str | None, prefix: str = "") -> str:
    """The SQL condition that a row is of the person who has the id `:stakeholder_id`, as their own or as a further one.
    At one account, `:account_id`, that is one value, so that an index of people serves it. `prefix` is the row's table
    with a dot, where the columns need it."""
    if account_id is not None:
        return (
            f"{prefix}stakeholder_id = coalesce((select a.stakeholder_id from aliases a"
            " where a.account_id = :account_id and a.alias_id = :stakeholder_id), :stakeholder_id)"
        )
    return (
        f"({prefix}stakeholder_id = :stakeholder_id or ({prefix}account_id, {prefix}stakeholder_id) in"
        " (select account_id, stakeholder_id from aliases where alias_id = :stakeholder_id))"
    )


async def own_ids(tx: ReadTx, people: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The people's own ids by any of their ids: (account_id, id) -> stakeholder_id. An id that is nobody's alias stands
    for itself."""
    asked = set(people)
    found = {person: person[1] for person in asked}
    if not asked:
        return found
    rows = await tx.rows(
        "select account_id, alias_id, stakeholder_id from aliases where (account_id, alias_id) in"
        " (select * from unnest(cast(:accounts as text[]), cast(:aliases as text[])))",
        **as_columns({"accounts": account_id, "aliases": alias} for account_id, alias in asked),
    )
    for account_id, alias, stakeholder_id in rows:
        found[account_id, alias] = stakeholder_id
    return found


async def every_id(tx: ReadTx, people: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The other direction of `own_ids`: all ids of people who are named by their own, as (account_id, id) -> their own
    id."""
    asked = set(people)
    found = {person: person[1] for person in asked}
    if not asked:
        return found
    rows = await tx.rows(
        "select account_id, alias_id, stakeholder_id from aliases where (account_id, stakeholder_id) in"
        f" {BOUND_PEOPLE}",
        **people_binds(asked),
    )
    for account_id, alias, stakeholder_id in rows:
        found[account_id, alias] = stakeholder_id
    return found
