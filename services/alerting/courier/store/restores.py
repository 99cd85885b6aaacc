"""Restores from a backup: from then on nothing leaves by itself, since it may have left before, until somebody lets
it."""

from datetime import datetime

from shared.db.transaction import ReadTx, WriteTx

SENDING = "not exists (select from restores where resumed_at is null)"
"""The SQL condition that messages and notices may leave. The table is nearly always empty."""


async def note_restore(tx: WriteTx, timeline: int, now: datetime) -> None:
    """Hold all that waits, and number later messages of accounts above the timeline."""
    await tx.execute(
        "insert into restores (timeline, restored_at) values (:timeline, :now)", timeline=timeline, now=now
    )
    await tx.execute("update account_sequences set last = greatest(last, :timeline)", timeline=timeline)


async def held_since(tx: ReadTx) -> datetime | None:
    """Since when nothing leaves; None while it does."""
    since: datetime | None = await tx.scalar("select min(restored_at) from restores where resumed_at is null")
    return since


async def let_go(tx: WriteTx, actor: str, now: datetime) -> int:
    """Let leave what waits; returns how many webhooks and notices that are. Again it changes nothing."""
    resumed = await tx.execute(
        "update restores set resumed_at = :now, resumed_by = :actor where resumed_at is null", now=now, actor=actor
    )
    if not resumed:
        return 0
    waiting: int = await tx.scalar(
        "select (select count(*) from webhook_deliveries where status in ('pending', 'sending'))"
        " + (select count(*) from notices where status in ('waiting', 'sending'))"
    )
    return waiting
