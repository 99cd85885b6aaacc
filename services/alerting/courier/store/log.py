"""The delivery log: reading it, sending one again, recovering a range.

A caller limited to an owner sees the deliveries about that owner's accounts, and tests of that owner's
endpoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.alerting.courier.domain.deliveries import Attempt, Delivery, EndpointStatus
from services.alerting.courier.store.messages import new_delivery_id
from shared.db.erasures import visible
from shared.db.transaction import ReadTx, WriteTx

AWAITED, RECOVERED = -1, 1
"""Priorities beside 0 of what is new: somebody waits for what comes of it; sent again in bulk."""

_COLUMNS = (
    "d.delivery_id, d.endpoint_id, d.message_id, m.event_type, d.account_id, d.sequence, d.status, d.attempts,"
    " d.next_attempt_at, d.trigger, d.actor, d.job_id, d.last_failure, d.created_at, d.delivered_at, d.finished_at"
)
_FROM = (
    "webhook_deliveries d join webhook_messages m on m.message_id = d.message_id"
    " join webhook_endpoints e on e.endpoint_id = d.endpoint_id"
)
_VISIBLE = f"(cast(:owner as text) is null or m.owner_email = :owner) and {visible('m')}"


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries of an endpoint to list."""

    status: str | None = None
    event_type: str | None = None
    account_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    job_id: str | None = None


async def page(
    tx: ReadTx,
    endpoint_id: str,
    owner: str | None,
    wanted: DeliveryFilter,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Delivery]:
    """Up to `limit` deliveries of an endpoint, newest first, after (created_at, delivery_id)."""
    after_at, after_id = after or (None, None)
    rows = await tx.all(
        f"""
        select {_COLUMNS} from {_FROM}
        where d.endpoint_id = :endpoint_id and {_VISIBLE}
            and (cast(:status as text) is null or d.status = :status)
            and (cast(:event_type as text) is null or m.event_type = :event_type)
            and (cast(:account_id as text) is null or d.account_id = :account_id)
            and (cast(:job_id as text) is null or d.job_id = :job_id)
            and (cast(:since as timestamptz) is null or d.created_at >= :since)
            and (cast(:until as timestamptz) is null or d.created_at < :until)
            and (cast(:after_id as text) is null
                or (d.created_at, d.delivery_id) < (cast(:after_at as timestamptz), :after_id))
        order by d.created_at desc, d.delivery_id desc limit :limit
        """,
        endpoint_id=endpoint_id,
        owner=owner,
        status=wanted.status,
        event_type=wanted.event_type,
        account_id=wanted.account_id,
        job_id=wanted.job_id,
        since=wanted.since,
        until=wanted.until,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
    )
    return [Delivery(**row) for row in rows]


async def find(tx: ReadTx, delivery_id: str, owner: str | None) -> Delivery | None:
    """A delivery with the stored body of its message and the status of its endpoint."""
    row = await tx.one(
        f"select {_COLUMNS}, m.body, e.status as endpoint_status from {_FROM}"
        f" where d.delivery_id = :delivery_id and {_VISIBLE}",
        delivery_id=delivery_id,
        owner=owner,
    )
    if row is None:
        return None
    return Delivery(**{**row, "endpoint_status": EndpointStatus(row["endpoint_status"])})


async def attempts(tx: ReadTx, delivery_id: str) -> list[Attempt]:
    """Every attempt, first to last."""
    rows = await tx.all(
        "select number, trigger, actor, started_at, duration_ms, status_code, failure, response_text,"
        " response_truncated from webhook_attempts where delivery_id = :delivery_id order by number",
        delivery_id=delivery_id,
    )
    return [Attempt(**row) for row in rows]


async def deliveries_of(tx: ReadTx, message_ids: Sequence[str]) -> list[dict[str, Any]]:
    """How the messages fared at each endpoint, oldest first, with every attempt."""
    rows = await tx.all(
        """
        select message_id, delivery_id, endpoint_id, status, last_failure, next_attempt_at, delivered_at, coalesce((
            select jsonb_agg(jsonb_build_object('number', a.number, 'trigger', a.trigger, 'actor', a.actor,
                'started_at', a.started_at, 'duration_ms', a.duration_ms, 'status_code', a.status_code,
                'failure', a.failure) order by a.number)
            from webhook_attempts a where a.delivery_id = d.delivery_id), '[]') as attempts
        from webhook_deliveries d where message_id = any(cast(:ids as text[])) order by created_at, delivery_id
        """,
        ids=list(message_ids),
    )
    return [dict(row) for row in rows]


async def lock(tx: WriteTx, delivery_id: str) -> None:
    """Hold the rows of a delivery, its endpoint's first, as the recording of attempts does."""
    await tx.scalar(
        "select 1 from webhook_endpoints where endpoint_id ="
        " (select endpoint_id from webhook_deliveries where delivery_id = :delivery_id) for no key update",
        delivery_id=delivery_id,
    )
    await tx.scalar(
        "select 1 from webhook_deliveries where delivery_id = :delivery_id for no key update",
        delivery_id=delivery_id,
    )


async def send_again(tx: WriteTx, delivery_id: str, actor: str, *, single: bool, now: datetime) -> None:
    """Make a delivery due now, by hand; a pending automatic attempt is replaced by it."""
    await tx.execute(
        "update webhook_deliveries set status = 'pending', next_attempt_at = :now, trigger = 'resend',"
        f" actor = :actor, single = :single, priority = {AWAITED}, finished_at = null where delivery_id = :delivery_id",
        delivery_id=delivery_id,
        actor=actor,
        single=single,
        now=now,
    )


async def send_again_afterwards(tx: WriteTx, delivery_id: str, actor: str) -> None:
    """A delivery that is being sent is to be sent once more when that has ended."""
    await tx.execute(
        "update webhook_deliveries set resend_by = :actor where delivery_id = :delivery_id",
        delivery_id=delivery_id,
        actor=actor,
    )


async def insert_test(tx: WriteTx, endpoint_id: str, message: dict[str, Any], actor: str, now: datetime) -> str:
    """A message for one endpoint, tried once. `message` holds message_id, event_type and body."""
    await tx.execute(
        "insert into webhook_messages (message_id, event_type, body, owner_email)"
        " select :message_id, :event_type, :body, owner_email from webhook_endpoints where endpoint_id = :endpoint_id",
        **message,
        endpoint_id=endpoint_id,
    )
    delivery_id = new_delivery_id()
    await tx.execute(
        "insert into webhook_deliveries"
        " (delivery_id, endpoint_id, message_id, status, next_attempt_at, trigger, actor, single, priority)"
        f" values (:delivery_id, :endpoint_id, :message_id, 'pending', :now, 'test', :actor, true, {AWAITED})",
        delivery_id=delivery_id,
        endpoint_id=endpoint_id,
        message_id=message["message_id"],
        actor=actor,
        now=now,
    )
    return delivery_id


@dataclass(frozen=True, slots=True)
class Range:
    """Deliveries of an endpoint made from `since` on and before `until`."""

    endpoint_id: str
    since: datetime
    until: datetime


_UNDELIVERED = (
    "d.endpoint_id = :endpoint_id and d.created_at >= :since and d.created_at < :until"
    " and d.status in ('exhausted', 'blocked', 'held') and d.delivered_at is null and d.trigger <> 'test'"
    " and m.body is not null and m.message_id = d.message_id"
)


async def count_undelivered(tx: ReadTx, span: Range) -> int:
    """How many deliveries of the range never met a 2xx and wait for nothing."""
    count: int = await tx.scalar(
        f"select count(*) from webhook_deliveries d, webhook_messages m where {_UNDELIVERED}",
        endpoint_id=span.endpoint_id,
        since=span.since,
        until=span.until,
    )
    return count


async def recover(tx: WriteTx, span: Range, job_id: str, actor: str, now: datetime, every: timedelta) -> int:
    """Make them due one by one, `every` so often, behind what is new: held ones with the rest of their schedule,
    others once more only."""
    return await tx.execute(
        f"""
        with undelivered as (
            select d.delivery_id, row_number() over (order by d.created_at, d.sequence, d.delivery_id) - 1 as place
            from webhook_deliveries d, webhook_messages m where {_UNDELIVERED}
        )
        update webhook_deliveries d
        set status = 'pending', next_attempt_at = cast(:now as timestamptz) + u.place * cast(:every as interval),
            trigger = 'recover', actor = :actor, job_id = :job_id, single = d.status <> 'held',
            priority = {RECOVERED}, finished_at = null
        from undelivered u where d.delivery_id = u.delivery_id
        """,
        endpoint_id=span.endpoint_id,
        since=span.since,
        until=span.until,
        job_id=job_id,
        actor=actor,
        now=now,
        every=every,
    )
