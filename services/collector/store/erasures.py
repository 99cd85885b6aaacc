"""The journal of erased people, and their records in the directory."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from services.collector.store.directory import Person
from shared.db.transaction import ReadTx, WriteTx
from shared.erasure import Names


@dataclass(frozen=True, slots=True)
class Receipt:
    """An erasure of a person: how many ids were erased, and the rows that were deleted from the collector."""

    receipt_id: UUID
    account_id: str
    erased_at: datetime
    applied_at: datetime
    ids: int
    stakeholders: int
    events: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the journal: `subject` is the keyed hash of one of the person's ids, `asked_for` marks the id that
    was named."""

    receipt_id: UUID
    subject: str
    account_id: str
    erased_at: datetime
    applied_at: datetime
    asked_for: bool
    stakeholders: int = 0
    events: int = 0


async def forget_stakeholder(tx: WriteTx, account_id: str, ids: Sequence[str]) -> int:
    """Delete the records that stand under the ids from the directory, also removed ones, and what is known of the ids;
    returns how many records there were."""
    bound = {"account_id": account_id, "ids": list(ids)}
    await tx.execute(
        "delete from stakeholder_aliases where account_id = :account_id and stakeholder_id = any(cast(:ids as text[]))",
        **bound,
    )
    # Also what was merged into the person under an id that somebody else has by now.
    await tx.execute(
        "delete from stakeholder_merges where account_id = :account_id"
        " and (stakeholder_id = any(cast(:ids as text[])) or into_id = any(cast(:ids as text[])))",
        **bound,
    )
    return await tx.execute(
        "delete from stakeholders where account_id = :account_id and stakeholder_id = any(cast(:ids as text[]))",
        **bound,
    )


async def everybody_at(tx: ReadTx, account_id: str) -> list[str]:
    """The ids of all records of people at an account, also of those who were removed."""
    ids = await tx.column(
        "select stakeholder_id from stakeholders where account_id = :account_id order by 1", account_id=account_id
    )
    return list(ids)


async def forget_everybody_at(tx: WriteTx, account_id: str) -> None:
    """Delete all records of people at an account from the directory, and what is known of their ids."""
    for table in ("stakeholder_aliases", "stakeholder_merges", "stakeholders"):
        await tx.execute(f"delete from {table} where account_id = :account_id", account_id=account_id)


async def later_lines(tx: ReadTx, account_id: str, ids: Sequence[str]) -> list[Person]:
    """The people of other accounts who were this person before."""
    rows = await tx.rows(
        "select account_id, stakeholder_id from stakeholders where record #>> '{previous,account_id}' = :account_id"
        " and record #>> '{previous,stakeholder_id}' = any(cast(:ids as text[]))",
        account_id=account_id,
        ids=list(ids),
    )
    return [(other, person) for other, person in rows]


async def forget_in_imports(tx: WriteTx, names: Names) -> None:
    """Replace the names by `[erased]` in file names and in errors of imports. Reports quote no cells."""
    rows = await tx.all(
        "select import_id, file_name, error_detail from imports"
        " where concat_ws(' ', file_name, error_detail) ilike any(cast(:patterns as text[])) for update",
        patterns=names.patterns(),
    )
    redacted = []
    for row in rows:
        redacted.append({name: names.redacted(row[name]) for name in ("import_id", "file_name", "error_detail")})
    await tx.execute_many(
        "update imports set file_name = :file_name, error_detail = :error_detail where import_id = :import_id",
        redacted,
    )


async def enter(tx: WriteTx, entries: Iterable[Entry]) -> None:
    """Add entries to the journal; those that are in it stay as they are."""
    await tx.execute_many(
        "insert into erasures (receipt_id, subject, account_id, erased_at, applied_at, asked_for, stakeholders, events)"
        " values (:receipt_id, :subject, :account_id, :erased_at, :applied_at, :asked_for, :stakeholders, :events)"
        " on conflict do nothing",
        list(map(asdict, entries)),
    )


async def find(tx: ReadTx, receipt_id: UUID) -> Receipt | None:
    """The erasure with this receipt; of an erasure at several accounts, the account is the one that it was asked for
    at."""
    row = await tx.one(
        "select receipt_id, max(account_id) filter (where asked_for) as account_id, max(erased_at) as erased_at,"
        " max(applied_at) as applied_at, cast(count(*) as int) as ids, cast(sum(stakeholders) as int) as stakeholders,"
        " cast(sum(events) as int) as events from erasures where receipt_id = :receipt_id group by receipt_id",
        receipt_id=receipt_id,
    )
    if row is None:
        return None
    return Receipt(**row)


async def last_of_accounts(tx: ReadTx, account_ids: Iterable[str]) -> dict[str, datetime]:
    """When somebody of these accounts was erased last; accounts without an erasure are absent."""
    rows = await tx.all(
        "select account_id, max(erased_at) as erased_at from erasures"
        " where account_id = any(cast(:ids as text[])) group by account_id",
        ids=list(account_ids),
    )
    return {row["account_id"]: row["erased_at"] for row in rows}


async def journal(tx: ReadTx) -> list[Entry]:
    """Every entry, oldest first."""
    rows = await tx.all(
        "select receipt_id, subject, account_id, erased_at, applied_at, asked_for, stakeholders, events from erasures"
        " order by erased_at, receipt_id, subject"
    )
    return [Entry(**row) for row in rows]


async def unknown(tx: ReadTx, entries: Iterable[Entry]) -> list[Entry]:
    """Those of the entries whose erasure, or a later one of the same id or account, is not in the journal."""
    erased: dict[str, datetime] = {}
    for subject, erased_at in await tx.rows("select subject, max(erased_at) from erasures group by subject"):
        erased[subject] = erased_at
    new = []
    for entry in entries:
        known = erased.get(entry.subject)
        if known is None or known < entry.erased_at:
            new.append(entry)
    return new


async def last_told(tx: ReadTx) -> int:
    """The row of the outbox that was written last."""
    return int(await tx.scalar("select coalesce(max(id), 0) from outbox"))


async def told_since(tx: ReadTx, row: int) -> Sequence[bytes]:
    """The events of erased people that were written behind a row of the outbox."""
    values = await tx.column("select value from outbox where id > :row and topic = 'responses' order by id", row=row)
    return [bytes(value) for value in values]
