"""How every write to `responses` says that it changed a row, and how far behind those who read the changes are."""

from typing import Final

from shared.db.transaction import ReadTx

CHANGED: Final = "changed_xid = default, changed_at = default"
"""Belongs into the `set` of every update of `responses`: an insert has it by the defaults of the columns."""
# What changed at or after the oldest transaction that still runs is not given to readers yet.
_LAG = """
    select extract(epoch from clock_timestamp() - changed_at) from responses
    where changed_xid >= pg_snapshot_xmin(pg_current_snapshot()) order by changed_xid, response_id limit 1
"""


async def lag_seconds(tx: ReadTx) -> float:
    """How long ago the transaction of the oldest change began that readers are not given yet; 0 where there is none."""
    return float(await tx.scalar(_LAG) or 0)
