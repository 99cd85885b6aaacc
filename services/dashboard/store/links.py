"""Links by which people set their passwords."""

from datetime import datetime
from uuid import UUID

from shared.db.transaction import ReadTx, WriteTx


async def put_link(tx: WriteTx, user_id: UUID, token_hash: bytes, expires_at: datetime) -> None:
    """Store a link; an earlier link of the person becomes invalid."""
    await tx.execute(
        "insert into password_links (user_id, token_hash, expires_at) values (:user_id, :token_hash, :expires_at)"
        " on conflict (user_id) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at",
        user_id=user_id,
        token_hash=token_hash,
        expires_at=expires_at,
    )


async def user_of_link(tx: ReadTx, token_hash: bytes, now: datetime) -> UUID | None:
    """The person of a link; None when it has expired, was used, or never existed."""
    user_id: UUID | None = await tx.scalar(
        "select user_id from password_links where token_hash = :token_hash and expires_at > :now",
        token_hash=token_hash,
        now=now,
    )
    return user_id


async def take_link(tx: WriteTx, token_hash: bytes, now: datetime) -> bool:
    """Use a link up; False when it is invalid: of two concurrent uses one succeeds."""
    taken = await tx.execute(
        "delete from password_links where token_hash = :token_hash and expires_at > :now",
        token_hash=token_hash,
        now=now,
    )
    return taken == 1


async def drop_link(tx: WriteTx, user_id: UUID) -> None:
    """Delete the link of a person."""
    await tx.execute("delete from password_links where user_id = :user_id", user_id=user_id)
