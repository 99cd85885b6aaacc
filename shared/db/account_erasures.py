"""Erasure of an account with everybody at it, as each service applies it: account.removed with `erased_at` deletes what
the service keeps of the account until then, and the journal keeps out what arrives late."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.db.erasures import account_subject
from shared.db.transaction import WriteTx
from shared.events.directory import AccountRemoved
from shared.topics import STAKEHOLDER_ERASED
from shared.verdicts import Outcome, Received, Verdict

EVER = "cast('-infinity' as timestamptz)"
"""Since when a row stands that does not say so: it goes in any case."""


def erased_accounts(records: Sequence[Received], verdicts: Sequence[Verdict]) -> list[AccountRemoved]:
    """The events of the topic `directory` that erase an account and were applied, by their verdicts."""
    erased = []
    for record, verdict in zip(records, verdicts, strict=True):
        data = record.event.data
        if isinstance(data, AccountRemoved) and data.erased_at is not None and verdict.outcome is Outcome.CHANGE:
            erased.append(data)
    return erased


async def note_erased(tx: WriteTx, account: AccountRemoved, applied_at: datetime) -> None:
    """Note in the journal that an account was erased: whatever was recorded, or happened, until then stays out.
    Idempotent."""
    await tx.execute(
        "insert into erasures (receipt_id, subject, account_id, erased_at, applied_at)"
        " values (:receipt_id, :subject, :account_id, :erased_at, :applied_at) on conflict do nothing",
        receipt_id=account.event_id,
        subject=account_subject(account.account_id),
        account_id=account.account_id,
        erased_at=account.erased_at,
        applied_at=applied_at,
    )


async def forget_rows(tx: WriteTx, account: AccountRemoved, tables: Mapping[str, str]) -> None:
    """Delete the rows of an erased account that came to be until then: table → the SQL of when a row did."""
    for table, since in tables.items():
        await tx.execute(
            f"delete from {table} where account_id = :account_id and {since} <= :until",
            account_id=account.account_id,
            until=account.erased_at,
        )


async def forget_parked_of(tx: WriteTx, account_id: str) -> None:
    """Delete the dead letters and conflicts of an account, but for erasures of people, which have receipts of their
    own."""
    await tx.execute(
        f"delete from parked where account_id = :account_id and must_apply is distinct from '{STAKEHOLDER_ERASED}'",
        account_id=account_id,
    )
