"""Which snapshots say what is true now.

A snapshot does unless its account is dirty, or its `recompute_at` has passed. An account becomes dirty in the
transaction that writes the answer, so both are seen together: what is fresh may be read from the snapshot, and only the
rest is counted from the answers. An account that is dirty only to be published once more, as all are after a restore,
stays fresh.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.db.transaction import ReadTx
from shared.telemetry.metrics import stale_accounts_read

DIRTY = "select account_id from dirty_accounts where affects_from < 'infinity'"
"""A query: the accounts that something was written of which their snapshots lack."""
_STALE = f"""
    {DIRTY} union select account_id from snapshots where recompute_at <= :moment
    union select account_id from snapshots where computed_at > :moment
"""


def fresh(alias: str) -> str:
    """An SQL condition: the account of the row is none of those that `:stale` names."""
    return (
        "not exists (select from unnest(cast(:stale as text[])) as stale(account_id)"
        f" where stale.account_id = {alias}.account_id)"
    )


async def stale_accounts(tx: ReadTx, moment: datetime) -> Sequence[str]:
    """The accounts whose snapshot does not say what is true at the moment, or is not there yet."""
    stale = await tx.column(_STALE, moment=moment)
    stale_accounts_read.observe(len(stale))
    return stale


async def count_failing(tx: ReadTx, owner_email: str | None = None) -> int:
    """How many accounts, of this owner or of all, cannot be projected."""
    return int(
        await tx.scalar(
            "select count(*) from dirty_accounts d where d.failed_at is not null"
            " and (cast(:owner_email as text) is null or exists (select from accounts a"
            " where a.account_id = d.account_id and a.owner_email = :owner_email))",
            owner_email=owner_email,
        )
    )
