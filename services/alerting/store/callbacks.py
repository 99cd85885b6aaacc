"""What CRMs have sent back, so that the same message again changes nothing."""

from datetime import datetime
from uuid import UUID

from shared.db.pieces import delete_piece
from shared.db.transaction import WriteTx


async def take_callback(
    tx: WriteTx, endpoint_id: str, message_id: str, digest: bytes, follow_up_id: UUID, now: datetime
) -> bytes | None:
    """Write a message down; None when it is new, else the digest of the one that came under this id before. Two at
    once wait for each other.
    """
    key = {"endpoint_id": endpoint_id, "message_id": message_id}
    new = await tx.execute(
        "insert into callbacks (endpoint_id, message_id, digest, follow_up_id, at)"
        " values (:endpoint_id, :message_id, :digest, :follow_up_id, :now) on conflict do nothing",
        **key,
        digest=digest,
        follow_up_id=follow_up_id,
        now=now,
    )
    if new:
        return None
    known = await tx.scalar(
        "select digest from callbacks where endpoint_id = :endpoint_id and message_id = :message_id", **key
    )
    return bytes(known)


async def purge_callbacks(tx: WriteTx, before: datetime) -> int:
    """Delete a piece of the old call-backs, whose signatures have long expired; returns how many."""
    return await delete_piece(tx, "callbacks", "at < :before", "at", before=before)
