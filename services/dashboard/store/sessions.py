"""Sessions of people who are signed in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.dashboard.domain.sessions import LONGEST, Session
from shared.db.pieces import delete_piece
from shared.db.transaction import ReadTx, WriteTx

ENDED_AT_ONCE = 1_000


async def add_session(tx: WriteTx, token_hash: bytes, user_id: UUID, now: datetime) -> None:
    """Open a session."""
    await tx.execute(
        "insert into sessions (token_hash, user_id, created_at, seen_at) values (:token_hash, :user_id, :now, :now)",
        token_hash=token_hash,
        user_id=user_id,
        now=now,
    )


async def end_all(tx: WriteTx) -> None:
    """Sign everybody out, and let no link for a new password work."""
    await tx.execute("delete from sessions")
    await tx.execute("delete from password_links")


async def find_session(tx: ReadTx, token_hash: bytes) -> Session | None:
    """The session of a token, live or not."""
    row = await tx.one(
        "select user_id, created_at, seen_at from sessions where token_hash = :token_hash", token_hash=token_hash
    )
    if row:
        return Session(row["user_id"], row["created_at"], row["seen_at"])
    return None


async def find_sessions(tx: ReadTx, token_hashes: Sequence[bytes]) -> Mapping[bytes, Session]:
    """The sessions of these tokens, live or not, of people who are not disabled."""
    rows = await tx.all(
        "select s.token_hash, s.user_id, s.created_at, s.seen_at from sessions s join users u using (user_id)"
        " where s.token_hash = any(:token_hashes) and not u.disabled",
        token_hashes=list(token_hashes),
    )
    return {bytes(row["token_hash"]): Session(row["user_id"], row["created_at"], row["seen_at"]) for row in rows}


async def touch_session(tx: WriteTx, token_hash: bytes, now: datetime) -> None:
    """Store the time of the last click."""
    await tx.execute(
        "update sessions set seen_at = :now where token_hash = :token_hash", token_hash=token_hash, now=now
    )


async def end_session(tx: WriteTx, token_hash: bytes) -> None:
    """End a session."""
    await tx.execute("delete from sessions where token_hash = :token_hash", token_hash=token_hash)


async def end_sessions_of(tx: WriteTx, user_id: UUID) -> None:
    """End all sessions of a person."""
    await tx.execute("delete from sessions where user_id = :user_id", user_id=user_id)


async def drop_ended(tx: WriteTx, now: datetime, idle: timedelta) -> int:
    """Delete a piece of the expired sessions; returns how many."""
    ended = "seen_at < :idle or created_at < :oldest"
    return await delete_piece(tx, "sessions", ended, "created_at", ENDED_AT_ONCE, idle=now - idle, oldest=now - LONGEST)
