"""Test mails in `sends`: begun, taken, refused. Nothing settles one that was interrupted: its ask stays unconfirmed."""

from datetime import datetime
from uuid import UUID

from services.outreach.domain.asks import SYSTEM
from services.outreach.store.sends import LEASE
from shared.db.transaction import ReadTx, WriteTx


async def count_since(tx: ReadTx, since: datetime) -> int:
    """How many test mails were begun since a moment."""
    found: int = await tx.scalar(
        "select count(*) from sends where data_started_at >= :since and kind = 'test'", since=since
    )
    return found


async def begin(tx: WriteTx, ask_id: UUID, now: datetime) -> None:
    """Write that the relay is given the test mail of an ask now."""
    await tx.execute(
        "insert into sends (ask_id, kind, number, claimed_until, data_started_at)"
        " values (:ask_id, 'test', 1, :until, :now)",
        ask_id=ask_id,
        now=now,
        until=now + LEASE,
    )
    await tx.execute("update asks set unconfirmed = true where ask_id = :ask_id", ask_id=ask_id)


async def taken(tx: WriteTx, ask_id: UUID, now: datetime, *, confirmed: bool) -> None:
    """The relay has taken the mail, or may have, if it is not `confirmed`."""
    await tx.execute(
        "update sends set ended_at = :now, sent_at = case when :confirmed then cast(:now as timestamptz) end"
        " where ask_id = :ask_id",
        ask_id=ask_id,
        now=now,
        confirmed=confirmed,
    )
    await tx.execute(
        "update asks set unconfirmed = :unconfirmed where ask_id = :ask_id", ask_id=ask_id, unconfirmed=not confirmed
    )


async def refused(tx: WriteTx, ask_id: UUID, now: datetime, reply: str) -> None:
    """The relay has not taken the mail, and said so: nobody was asked."""
    await tx.execute(
        "update sends set ended_at = :now, reply = :reply where ask_id = :ask_id", ask_id=ask_id, now=now, reply=reply
    )
    await tx.execute(
        "with failed as (update asks set state = 'failed', reason = 'message_refused', note = :reply, sent_at = null,"
        " closes_at = null, unconfirmed = false where ask_id = :ask_id returning ask_id, reason, note)"
        " insert into ask_changes (ask_id, at, state, reason, note, actor)"
        " select ask_id, :now, 'failed', reason, note, :actor from failed",
        ask_id=ask_id,
        now=now,
        reply=reply,
        actor=SYSTEM,
    )
