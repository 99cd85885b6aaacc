"""What attempts leave behind, many in one transaction: the log, the deliveries' next step, the endpoints'
health."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from services.alerting.courier.domain.deliveries import DisabledReason, EndedAttempt
from services.alerting.courier.domain.endpoint_health import HealthPolicy
from services.alerting.courier.domain.retry import Next, RetryPolicy, Status, after_attempt
from services.alerting.courier.store.health import (
    Noted,
    OperatorNotice,
    disable,
    locked_endpoints,
    notify,
    update_health,
)
from shared.db.transaction import WriteTx

Uniform = Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class Judge:
    """What decides on the next step: the policies, the time, and the randomness of the jitter."""

    policy: RetryPolicy
    health: HealthPolicy
    now: datetime
    uniform: Uniform


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an attempt's delivery; `given_up` when the schedule was used up by it, `wanted_again` when
    somebody asked for another attempt meanwhile."""

    done: EndedAttempt
    status: Status
    given_up: bool
    wanted_again: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written down: the deliveries, and what it meant for their endpoints."""

    settled: list[Settled]
    noted: Noted


async def record(tx: WriteTx, done: Sequence[EndedAttempt], judge: Judge) -> Recorded:
    """Write down attempts that have ended, given as they ended. Endpoints are locked first and in order, then
    deliveries."""
    if not done:
        return Recorded([], Noted())
    endpoints = await locked_endpoints(tx, {item.work.endpoint_id for item in done})
    settled = await _deliver(tx, [item for item in done if item.outcome.failure is None], judge.now)
    settled += await _fail(tx, [item for item in done if item.outcome.failure is not None], endpoints, judge)
    await _send_again(tx, [attempt.done.work.delivery_id for attempt in settled if attempt.wanted_again], judge.now)
    return Recorded(settled, await update_health(tx, endpoints, done, judge.health, judge.now))


async def _deliver(tx: WriteTx, done: Sequence[EndedAttempt], now: datetime) -> list[Settled]:
    """Successes, the common case, in one statement. One that is told too late, after its lease, counts as
    well."""
    if not done:
        return []
    rows = await tx.all(
        """
        with done as materialized (
            select * from unnest(cast(:ids as text[]), cast(:numbers as int[]), cast(:triggers as text[]),
                cast(:actors as text[]), cast(:starts as timestamptz[]), cast(:durations as int[]),
                cast(:codes as int[]), cast(:texts as text[]), cast(:truncated as boolean[]))
            as t (delivery_id, number, trigger, actor, started_at, duration_ms, status_code, response_text,
                response_truncated)
        ), logged as (
            insert into webhook_attempts (delivery_id, number, trigger, actor, started_at, duration_ms,
                status_code, response_text, response_truncated)
            select t.delivery_id, t.number, t.trigger, t.actor, t.started_at, t.duration_ms, t.status_code,
                case when m.body is null then '' else t.response_text end, t.response_truncated
            from done t join webhook_deliveries d using (delivery_id) join webhook_messages m using (message_id)
            on conflict (delivery_id, number) do update
            set started_at = excluded.started_at, duration_ms = excluded.duration_ms,
                status_code = excluded.status_code, failure = null,
                response_text = excluded.response_text, response_truncated = excluded.response_truncated
        )
        update webhook_deliveries d
        set status = 'delivered', delivered_at = coalesce(d.delivered_at, :now), finished_at = :now,
            next_attempt_at = null, lease_until = null, sender = null, last_failure = null,
            single = false
        from done t
        where d.delivery_id = t.delivery_id and (d.status in ('pending', 'exhausted', 'held')
            or (d.status = 'sending' and d.attempts = t.number))
        returning d.delivery_id, d.resend_by is not null as wanted_again
        """,
        now=now,
        ids=[item.work.delivery_id for item in done],
        numbers=[item.work.number for item in done],
        triggers=[item.work.trigger.value for item in done],
        actors=[item.work.actor for item in done],
        starts=[item.started_at for item in done],
        durations=[item.outcome.duration_ms for item in done],
        codes=[item.outcome.status_code for item in done],
        texts=[item.outcome.response_text for item in done],
        truncated=[item.outcome.response_truncated for item in done],
    )
    delivered = {row["delivery_id"]: row["wanted_again"] for row in rows}
    return [
        Settled(item, Status.DELIVERED, given_up=False, wanted_again=delivered[item.work.delivery_id])
        for item in done
        if item.work.delivery_id in delivered
    ]


async def _fail(
    tx: WriteTx, done: Sequence[EndedAttempt], endpoints: Mapping[str, RowMapping], judge: Judge
) -> list[Settled]:
    """Failures: each is judged by itself."""
    if not done:
        return []
    deliveries = await _locked_deliveries(tx, [item.work.delivery_id for item in done])
    await _log_attempts(tx, done, {key for key, row in deliveries.items() if row["erased"]})
    states = {endpoint_id: str(row["status"]) for endpoint_id, row in endpoints.items()}
    states |= await _disable_gone(tx, done, judge.now)
    settled, updates = [], []
    for item in done:
        row = deliveries.get(item.work.delivery_id)
        if row is None or row["status"] != "sending" or row["attempts"] != item.work.number:
            continue  # purged, or its lease was lost and others have taken over
        verdict = after_attempt(
            row["step"],
            item.outcome,
            judge.policy,
            judge.uniform,
            single=row["single"],
            delivered_before=row["delivered_at"] is not None,
        )
        verdict = _at("deleted" if row["erased"] else states[item.work.endpoint_id], verdict)
        updates.append(_update_of(item, row, verdict, judge.now))
        given_up = verdict.status is Status.EXHAUSTED and not row["single"]
        settled.append(Settled(item, verdict.status, given_up, wanted_again=row["resend_by"] is not None))
    await _update_deliveries(tx, updates)
    ended = [item.done.work for item in settled if item.given_up]
    await notify(
        tx, [OperatorNotice(work.endpoint_id, "exhausted", work.delivery_id, work=work) for work in ended], judge.now
    )
    return settled


async def _send_again(tx: WriteTx, delivery_ids: list[str], now: datetime) -> None:
    """Make due what somebody asked for while it was being sent, unless its endpoint gets nothing any more."""
    if not delivery_ids:
        return
    await tx.execute(
        """
        update webhook_deliveries d
        set status = 'pending', next_attempt_at = :now, trigger = 'resend', actor = d.resend_by,
            single = d.status not in ('pending', 'held'), resend_by = null, finished_at = null
        from webhook_endpoints e
        where d.delivery_id = any(cast(:ids as text[])) and e.endpoint_id = d.endpoint_id and e.status = 'enabled'
        """,
        ids=delivery_ids,
        now=now,
    )


async def _disable_gone(tx: WriteTx, done: Sequence[EndedAttempt], now: datetime) -> dict[str, str]:
    """Disable the endpoints that answered 410; the status of those it was news for."""
    changed = {}
    for endpoint_id in sorted({item.work.endpoint_id for item in done if item.outcome.status_code == 410}):
        if await disable(tx, endpoint_id, DisabledReason.GONE, now):
            changed[endpoint_id] = "disabled"
            await notify(tx, [OperatorNotice(endpoint_id, "gone", now.isoformat())], now)
    return changed


def _at(endpoint_status: str, verdict: Next) -> Next:
    """Nothing waits for an attempt at an endpoint that gets none."""
    if verdict.status is Status.PENDING and endpoint_status != "enabled":
        return Next(Status.HELD if endpoint_status == "disabled" else Status.CANCELLED, verdict.step)
    return verdict


def _update_of(item: EndedAttempt, row: RowMapping, verdict: Next, now: datetime) -> dict[str, Any]:
    open_still = verdict.status in (Status.PENDING, Status.HELD)
    return {
        "delivery_id": item.work.delivery_id,
        "status": verdict.status.value,
        "step": verdict.step,
        "next_attempt_at": None if verdict.wait is None else now + timedelta(seconds=verdict.wait),
        "last_failure": item.outcome.failure and item.outcome.failure.value,
        "finished_at": None if open_still else now,
        "single": row["single"] and verdict.status is Status.PENDING,
    }


async def _update_deliveries(tx: WriteTx, updates: list[dict[str, Any]]) -> None:
    await tx.execute_many(
        """
        update webhook_deliveries
        set status = :status, step = :step, next_attempt_at = :next_attempt_at, lease_until = null, sender = null,
            last_failure = :last_failure, finished_at = :finished_at, single = :single,
            trigger = case when :status <> 'pending' or :single then trigger else 'automatic' end,
            actor = case when :status <> 'pending' or :single then actor end
        where delivery_id = :delivery_id
        """,
        updates,
    )


async def _locked_deliveries(tx: WriteTx, delivery_ids: list[str]) -> dict[str, RowMapping]:
    rows = await tx.all(
        "select d.delivery_id, d.status, d.attempts, d.step, d.single, d.delivered_at, d.resend_by,"
        " m.body is null as erased"
        " from webhook_deliveries d join webhook_messages m using (message_id)"
        " where d.delivery_id = any(cast(:ids as text[])) order by d.delivery_id for no key update of d",
        ids=delivery_ids,
    )
    return {row["delivery_id"]: row for row in rows}


async def _log_attempts(tx: WriteTx, done: Sequence[EndedAttempt], erased: set[str]) -> None:
    """A late word about an attempt that was taken for lost replaces that. Of an erased person no answer is
    kept."""
    await tx.execute_many(
        """
        insert into webhook_attempts (delivery_id, number, trigger, actor, started_at, duration_ms,
        status_code, failure, response_text, response_truncated) values (:delivery_id, :number, :trigger,
        :actor, :started_at, :duration_ms, :status_code, :failure, :response_text, :response_truncated) on
        conflict (delivery_id, number) do update set started_at = excluded.started_at, duration_ms =
        excluded.duration_ms, status_code = excluded.status_code, failure = excluded.failure, response_text =
        excluded.response_text, response_truncated = excluded.response_truncated """,
        [
            {
                "delivery_id": item.work.delivery_id,
                "number": item.work.number,
                "trigger": item.work.trigger.value,
                "actor": item.work.actor,
                "started_at": item.started_at,
                "duration_ms": item.outcome.duration_ms,
                "status_code": item.outcome.status_code,
                "failure": item.outcome.failure and item.outcome.failure.value,
                "response_text": "" if item.work.delivery_id in erased else item.outcome.response_text,
                "response_truncated": item.outcome.response_truncated,
            }
            for item in done
        ],
    )
