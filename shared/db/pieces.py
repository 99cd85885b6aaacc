"""Old rows go in pieces: however many there are, no statement comes near the statement timeout, and nobody waits long
for the locks of one."""

from collections.abc import Awaitable, Callable
from typing import Any

from shared.db.engine import Database
from shared.db.transaction import WriteTx

PIECE = 10_000


async def delete_piece(tx: WriteTx, table: str, old: str, age: str, most: int = PIECE, **binds: Any) -> int:
    """Delete the `most` oldest rows, by the column `age`, for which `old` holds, a condition on `binds`; returns how
    many. Rows that another transaction has locked are left for the next time. The table must not be partitioned."""
    return await tx.execute(
        f"delete from {table} where ctid = any(array("
        f"select ctid from {table} where {old} order by {age} limit :most for update skip locked))",
        most=most,
        **binds,
    )


async def in_pieces(database: Database, delete: Callable[[WriteTx], Awaitable[int]]) -> None:
    """Call `delete`, each time in a transaction of its own, until it finds nothing more. Raises `Unavailable`."""
    while await database.retrying(delete):
        pass
