"""Links by which people set their passwords."""

from datetime import datetime
from uuid import UUID

from shared.db.transaction import ReadTx, WriteTx


async def put_link(tx: WriteTx, user_id: UUID, token_hash: bytes, expires_at: datetime) -> None:
    """Keep a link; one that the person had before is none any more."""
    await tx.execute(
        "insert into password_links (user_id, token_hash, expires_at) values (:user_id, :token_hash, :expires_at)"
        " on conflict (user_id) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at",
        user_id=user_id,
        token_hash=token_hash,
        expires_at=expires_at,
    )


async def user_of_link(tx: ReadTx, token_hash: bytes, now: datetime) -> UUID | None:
    """Whose link it is; None when it has expired, was used, or never was."""
    user_id: UUID | None = await tx.scalar(
        "select user_id from password_links where token_hash = :token_hash and expires_at > :now",
        token_hash=token_hash,
        now=now,
    )
    return user_id


async def take_link(tx: WriteTx, token_hash: bytes, now: datetime) -> bool:
    """Use a link up; False when it is none any more: of two at once one gets it."""
    taken = await tx.execute(
        "delete from password_links where token_hash = :token_hash and expires_at > :now",
        token_hash=token_hash,
        now=now,
    )
    return taken == 1


async def drop_link(tx: WriteTx, user_id: UUID) -> None:
    """Take back the link of somebody."""
    await tx.execute("delete from password_links where user_id = :user_id", user_id=user_id)
