"""What erasure does to the rows of a person."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.outreach.store.contacts import MOMENTS
from shared.db.account_erasures import EVER, forget_parked_of, forget_rows
from shared.db.transaction import ReadTx, WriteTx
from shared.events.directory import AccountRemoved

_THEIRS = "account_id = :account_id and stakeholder_id = any(cast(:ids as text[]))"
_EARLY = ", ".join(f"{name} = case when {name} > :until then {name} end" for name in MOMENTS)
_NOTHING = " and ".join(f"{name} is null" for name in MOMENTS)

_OF_ACCOUNTS: Mapping[str, str] = {
    "outgoing": "created_at",
    "asks": "created_at",
    "answers": "coalesce(recorded_at, '-infinity')",
    "contacts": EVER,
    "happenings": "recorded_at",
    "business_reviews": "created_at",
    "review_reminders": "created_at",
    "reviews_held": EVER,
    "stakeholders": "recorded_at",
    "aliases": "recorded_at",
}
"""Table → the SQL of when a row came to be."""


async def objected_at(tx: ReadTx, account_id: str, ids: Sequence[str]) -> datetime | None:
    """When the person objected last to any mailer; None where they never did."""
    found: datetime | None = await tx.scalar(
        f"select max(unsubscribed_at) from contacts where {_THEIRS}", account_id=account_id, ids=list(ids)
    )
    return found


async def erase(tx: WriteTx, account_id: str, ids: Sequence[str], until: datetime) -> tuple[int, int]:
    """Delete what is known of a person up to a moment, under all their ids at the account; returns how many asks and
    how many outgoing calls that were. What has been done with them since stays."""
    person = {"account_id": account_id, "ids": list(ids), "until": until}
    calls = await tx.execute(
        "delete from outgoing where account_id = :account_id and created_at <= :until"
        " and (stakeholder_id = any(cast(:ids as text[])) or ask_id in"
        f" (select ask_id from asks where {_THEIRS} and created_at <= :until))",
        **person,
    )
    asks = await tx.execute(f"delete from asks where {_THEIRS} and created_at <= :until", **person)
    await tx.execute(f"delete from notices where {_THEIRS} and created_at <= :until", **person)
    await tx.execute(
        f"delete from answers where {_THEIRS} and least(answered_at, recorded_at) <= :until",
        **person,
    )
    await tx.execute(f"update contacts set {_EARLY} where {_THEIRS}", **person)
    await tx.execute(f"delete from contacts where {_THEIRS} and {_NOTHING}", account_id=account_id, ids=person["ids"])
    await tx.execute(f"delete from happenings where {_THEIRS} and least(at, recorded_at) <= :until", **person)
    for table in ("stakeholders", "aliases"):
        await tx.execute(f"delete from {table} where {_THEIRS} and recorded_at <= :until", **person)
    return asks, calls


async def erase_account(tx: WriteTx, account: AccountRemoved) -> None:
    """Delete what is known of an account and everybody at it up to its erasure. Objections stay: they are hashes of
    addresses."""
    await forget_rows(tx, account, _OF_ACCOUNTS)
    await forget_parked_of(tx, account.account_id)
