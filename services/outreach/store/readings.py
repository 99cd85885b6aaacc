"""Rows of `readings`: what has been read from other services."""

from datetime import datetime
from typing import Final

from shared.db.transaction import ReadTx, WriteTx

EVERYBODY: Final = "everybody"
# Records that an operator let go of may have said whom somebody asked: then everybody is read again.
_GAP = "(select coalesce(sum(accepted_gap), 0) from cursors)"


async def is_done(tx: ReadTx, name: str = EVERYBODY) -> bool:
    """Whether this has been read, and no record of the log has been lost since."""
    return bool(
        await tx.scalar(
            f"select exists (select from readings where name = :name and accepted_gap >= {_GAP})", name=name
        )
    )


async def accepted_gap(tx: ReadTx) -> int:
    """How many records of the log were given up so far."""
    return int(await tx.scalar(f"select {_GAP}"))


async def done(tx: WriteTx, gap: int, now: datetime, name: str = EVERYBODY) -> None:
    """Note that this has been read; `gap` is that of the moment before the reading."""
    await tx.execute(
        "insert into readings (name, done_at, accepted_gap) values (:name, :now, :gap) on conflict (name) do update"
        " set done_at = excluded.done_at, accepted_gap = greatest(readings.accepted_gap, excluded.accepted_gap)",
        name=name,
        now=now,
        gap=gap,
    )
