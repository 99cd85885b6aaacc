"""The journal of erased people, and their records in the directory."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from shared.db.transaction import ReadTx, WriteTx
from shared.erasure import Names


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry of the journal: `subject` is the person's keyed hash, the counts are the rows deleted from the
    collector."""

    receipt_id: UUID
    subject: str
    account_id: str
    erased_at: datetime
    applied_at: datetime
    stakeholders: int
    events: int


async def forget_stakeholder(tx: WriteTx, account_id: str, stakeholder_id: str) -> int:
    """Delete a person from the directory, also a removed one; returns 1 if there was a row."""
    return await tx.execute(
        "delete from stakeholders where account_id = :account_id and stakeholder_id = :stakeholder_id",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
    )


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


async def enter(tx: WriteTx, receipt: Receipt) -> None:
    """Add an entry to the journal."""
    await tx.execute(
        "insert into erasures (receipt_id, subject, account_id, erased_at, applied_at, stakeholders, events)"
        " values (:receipt_id, :subject, :account_id, :erased_at, :applied_at, :stakeholders, :events)",
        **asdict(receipt),
    )


async def find(tx: ReadTx, receipt_id: UUID) -> Receipt | None:
    """The journal's entry with this receipt."""
    row = await tx.one(
        "select receipt_id, subject, account_id, erased_at, applied_at, stakeholders, events from erasures"
        " where receipt_id = :receipt_id",
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
