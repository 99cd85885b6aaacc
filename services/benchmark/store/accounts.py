"""What this service knows of accounts: their industry and owner, and the newest snapshot of their scores."""

import json
from dataclasses import dataclass

from shared.db.transaction import ReadTx, WriteTx
from shared.events.scores import AccountScoreChanged


@dataclass(frozen=True, slots=True)
class Account:
    """The attributes that a comparison needs."""

    account_id: str
    industry: str | None
    owner_email: str | None


async def account(tx: ReadTx, account_id: str) -> Account | None:
    """An account of the directory, also a removed one; None when it was never there."""
    row = await tx.one(
        "select account_id, industry, owner_email from accounts where account_id = :account_id", account_id=account_id
    )
    return Account(**row) if row else None


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
