"""The upkeep of the queue of deliveries: what dead senders held, what a race left over, what is past its time."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping

from services.alerting.courier.domain.retry import RetryPolicy, Status, after_lost_lease
from shared.db.pieces import delete_piece
from shared.db.transaction import WriteTx

PURGED_AT_ONCE: Final = 1_000
"""Rows of a kind: deliveries wait meanwhile."""
EXPIRE_HELD = """
    update webhook_deliveries set status = 'cancelled', finished_at = now(), last_failure = 'expired'
    where delivery_id in (
        select delivery_id from webhook_deliveries where status = 'held' and created_at < :before
        order by created_at limit :most)
"""
EMPTY_MESSAGES = """
    update webhook_messages set body = null where message_id in (
        select message_id from webhook_messages m where body is not null and created_at < :before
        and not exists (select 1 from webhook_deliveries d where d.message_id = m.message_id
            and d.status in ('pending', 'sending', 'held'))
        order by created_at limit :most)
"""
_ENDED = "created_at < :before and status not in ('pending', 'sending', 'held')"
_UNUSED = (
    "body is null and created_at < :before"
    " and not exists (select 1 from webhook_deliveries d where d.message_id = webhook_messages.message_id)"
)


async def reap(tx: WriteTx, now: datetime, policy: RetryPolicy) -> int:
    """Give back deliveries whose sender died, at most a thousand; returns how many."""
    lost = await tx.all(
        """
        select delivery_id, endpoint_id, attempts, step, trigger, actor, lease_until, (select count(*)
            from webhook_attempts a where a.delivery_id = d.delivery_id and a.failure = 'proxy') as at_proxy
        from webhook_deliveries d
        where status = 'sending' and lease_until < :now
        order by delivery_id limit 1000 for update skip locked
        """,
        now=now,
    )
    if not lost:
        return 0
    await tx.execute_many(
        """
        insert into webhook_attempts (delivery_id, number, trigger, actor, started_at, duration_ms, failure)
        values (:delivery_id, :attempts, :trigger, :actor, :lease_until, 0, 'lost')
        on conflict (delivery_id, number) do nothing
        """,
        [dict(row) for row in lost],
    )
    await tx.execute_many(
        """
        update webhook_deliveries
        set status = :status, step = :step, lease_until = null, sender = null,
            last_failure = 'lost',
            next_attempt_at = :next_attempt_at, finished_at = :finished_at
        where delivery_id = :delivery_id
        """,
        [_given_back(row, now, policy) for row in lost],
    )
    return len(lost)


def _given_back(row: RowMapping, now: datetime, policy: RetryPolicy) -> dict[str, Any]:
    next_step = after_lost_lease(row["step"], row["attempts"] - row["at_proxy"], policy)
    changes: dict[str, Any] = {"status": next_step.status.value, "step": next_step.step}
    if next_step.status is Status.PENDING:
        changes |= {"next_attempt_at": now, "finished_at": None}
    else:
        changes |= {"next_attempt_at": None, "finished_at": now}
    return changes | {"delivery_id": row["delivery_id"]}


async def resolve_races(tx: WriteTx) -> None:
    """Put right what a race left pending: at a disabled endpoint it is held, without endpoint or body it
    ends."""
    await tx.execute(
        """
        update webhook_deliveries d
        set status = case when e.status = 'disabled' and m.body is not null then 'held' else 'cancelled' end,
            next_attempt_at = null,
            finished_at = case when e.status = 'disabled' and m.body is not null then null else now() end
        from webhook_endpoints e, webhook_messages m
        where e.endpoint_id = d.endpoint_id and m.message_id = d.message_id
            and d.status = 'pending' and (e.status <> 'enabled' or m.body is null)
        """
    )


async def purge(tx: WriteTx, bodies_before: datetime, held_before: datetime, log_before: datetime) -> bool:
    """Drop a piece of what is past its time, the oldest first: expired secrets, held deliveries, bodies of messages,
    the log itself. Returns whether there may be more."""
    await tx.execute("delete from webhook_secrets where expires_at < now()")
    pieces = [
        await tx.execute(EXPIRE_HELD, before=held_before, most=PURGED_AT_ONCE),
        await tx.execute(EMPTY_MESSAGES, before=bodies_before, most=PURGED_AT_ONCE),
        await delete_piece(tx, "webhook_deliveries", _ENDED, "created_at", PURGED_AT_ONCE, before=log_before),
        await delete_piece(tx, "webhook_messages", _UNUSED, "created_at", PURGED_AT_ONCE, before=log_before),
    ]
    return PURGED_AT_ONCE in pieces
