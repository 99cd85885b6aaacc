"""Which snapshots say what is true now.

A snapshot does unless its account is marked, or one of its borders has passed since. Marks are written with the answers
they stand for, so both are seen in one transaction: what is fresh may be read from the snapshot, and only the rest is
counted from the answers.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.db.transaction import ReadTx

_STALE = """
    select account_id from marks union select account_id from snapshots where next_border <= :moment
    union select account_id from snapshots where computed_at > :moment
"""


async def stale_accounts(tx: ReadTx, moment: datetime, among: Sequence[str] | None = None) -> Sequence[str]:
    """The accounts, all or of these, whose snapshot does not say what is true at the moment, or is not there."""
    if among is None:
        return [row["account_id"] for row in await tx.all(_STALE, moment=moment)]
    rows = await tx.all(
        "select k.account_id from unnest(cast(:among as text[])) as k(account_id)"
        " left join snapshots s using (account_id) left join marks m using (account_id)"
        " where m.account_id is not null or s.account_id is null or s.next_border <= :moment"
        " or s.computed_at > :moment",
        among=list(among),
        moment=moment,
    )
    return [row["account_id"] for row in rows]
