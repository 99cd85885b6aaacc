"""What attempts leave behind, many in one transaction: the log, the deliveries' next step, the endpoints'
health."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from services.alerting.courier.domain.deliveries import DisabledReason, EndedAttempt
from services.alerting.courier.domain.endpoint_health import HealthPolicy
from services.alerting.courier.domain.retry import NextStep, RetryPolicy, Status, after_attempt
from services.alerting.courier.store.health import (
    HealthEffects,
    OperatorNotice,
    disable,
    locked_endpoints,
    notify,
    update_health,
)
from shared.db.transaction import WriteTx, as_columns

Uniform = Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class AttemptPolicies:
    """What the next step of a delivery depends on: the policies, the time, and the randomness of the jitter."""

    retry: RetryPolicy
    health: HealthPolicy
    now: datetime
    uniform: Uniform


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What became of an attempt's delivery; `given_up` when the schedule was used up by it, `wanted_again` when
    somebody asked for another attempt meanwhile."""

    attempt: EndedAttempt
    status: Status
    given_up: bool
    wanted_again: bool


@dataclass(frozen=True, slots=True)
class RecordedAttempts:
    """What was written down: the deliveries, and what it meant for their endpoints."""

    results: list[AttemptResult]
    effects: HealthEffects


async def record(tx: WriteTx, done: Sequence[EndedAttempt], policies: AttemptPolicies) -> RecordedAttempts:
    """Write down attempts that have ended, given as they ended. Endpoints are locked first and in order, then
    deliveries."""
    if not done:
        return RecordedAttempts([], HealthEffects())
    endpoints = await locked_endpoints(tx, {attempt.work.endpoint_id for attempt in done})
    delivered: list[EndedAttempt] = []
    failed: list[EndedAttempt] = []
    for attempt in done:
        if attempt.outcome.failure is None:
            delivered.append(attempt)
        else:
            failed.append(attempt)
    results = await _deliver(tx, delivered, policies.now)
    results += await _fail(tx, failed, endpoints, policies)
    await _send_again(tx, results, policies.now)
    return RecordedAttempts(results, await update_health(tx, endpoints, done, policies.health, policies.now))


async def _deliver(tx: WriteTx, done: Sequence[EndedAttempt], now: datetime) -> list[AttemptResult]:
    """Successes, the common case, in one statement. An outcome that comes after the lease has passed counts as
    well."""
    if not done:
        return []
    rows = await tx.all(
        """
        with done as materialized (
            select * from unnest(cast(:delivery_id as text[]), cast(:number as int[]), cast(:trigger as text[]),
                cast(:actor as text[]), cast(:started_at as timestamptz[]), cast(:duration_ms as int[]),
                cast(:status_code as int[]), cast(:response_text as text[]), cast(:response_truncated as boolean[]))
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
        **as_columns(map(_row_of, done)),
    )
    wanted_again = {row["delivery_id"]: row["wanted_again"] for row in rows}
    results = []
    for attempt in done:
        delivery_id = attempt.work.delivery_id
        if delivery_id in wanted_again:
            results.append(AttemptResult(attempt, Status.DELIVERED, False, wanted_again[delivery_id]))
    return results


async def _fail(
    tx: WriteTx, done: Sequence[EndedAttempt], endpoints: Mapping[str, RowMapping], policies: AttemptPolicies
) -> list[AttemptResult]:
    """Failures: the next step of each depends on its own delivery."""
    if not done:
        return []
    deliveries = await _locked_deliveries(tx, [attempt.work.delivery_id for attempt in done])
    await _log_failures(tx, done, deliveries)
    disabled = await _disable_gone(tx, done, policies.now)
    results, updates, notices = [], [], []
    for attempt in done:
        work = attempt.work
        row = deliveries.get(work.delivery_id)
        if row is None or row["status"] != "sending" or row["attempts"] != work.number:
            continue  # purged, or its lease was lost and others have taken over
        endpoint_status = endpoints[work.endpoint_id]["status"]
        if row["erased"]:
            endpoint_status = "deleted"
        elif work.endpoint_id in disabled:
            endpoint_status = "disabled"
        next_step = _next_step(attempt, row, endpoint_status, policies)
        updates.append(_update_of(attempt, row, next_step, policies.now))
        given_up = next_step.status is Status.EXHAUSTED and not row["single"]
        if given_up:
            notices.append(OperatorNotice(work.endpoint_id, "exhausted", work.delivery_id, work=work))
        results.append(AttemptResult(attempt, next_step.status, given_up, row["resend_by"] is not None))
    await _update_deliveries(tx, updates)
    await notify(tx, notices, policies.now)
    return results


async def _send_again(tx: WriteTx, results: Sequence[AttemptResult], now: datetime) -> None:
    """Make due what somebody asked for while it was being sent, unless its endpoint gets nothing any more."""
    delivery_ids = [result.attempt.work.delivery_id for result in results if result.wanted_again]
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


async def _disable_gone(tx: WriteTx, done: Sequence[EndedAttempt], now: datetime) -> set[str]:
    """Disable the endpoints that answered 410; returns those that were enabled."""
    gone = {attempt.work.endpoint_id for attempt in done if attempt.outcome.status_code == 410}
    disabled = set()
    for endpoint_id in sorted(gone):
        if await disable(tx, endpoint_id, DisabledReason.GONE, now):
            disabled.add(endpoint_id)
            await notify(tx, [OperatorNotice(endpoint_id, "gone", now.isoformat())], now)
    return disabled


def _next_step(attempt: EndedAttempt, row: RowMapping, endpoint_status: str, policies: AttemptPolicies) -> NextStep:
    """What becomes of the delivery. Nothing waits for an attempt at an endpoint that gets none."""
    next_step = after_attempt(
        row["step"],
        attempt.outcome,
        policies.retry,
        policies.uniform,
        single=row["single"],
        delivered_before=row["delivered_at"] is not None,
    )
    if next_step.status is not Status.PENDING or endpoint_status == "enabled":
        return next_step
    if endpoint_status == "disabled":
        return NextStep(Status.HELD, next_step.step)
    return NextStep(Status.CANCELLED, next_step.step)


def _update_of(attempt: EndedAttempt, row: RowMapping, next_step: NextStep, now: datetime) -> dict[str, Any]:
    next_attempt_at = finished_at = None
    if next_step.wait is not None:
        next_attempt_at = now + timedelta(seconds=next_step.wait)
    if next_step.status not in (Status.PENDING, Status.HELD):
        finished_at = now
    return {
        "delivery_id": attempt.work.delivery_id,
        "status": next_step.status.value,
        "step": next_step.step,
        "next_attempt_at": next_attempt_at,
        "last_failure": attempt.outcome.failure and attempt.outcome.failure.value,
        "finished_at": finished_at,
        "single": row["single"] and next_step.status is Status.PENDING,
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


async def _log_failures(tx: WriteTx, done: Sequence[EndedAttempt], deliveries: Mapping[str, RowMapping]) -> None:
    """A late word about an attempt that was taken for lost replaces that. Of an erased person no answer is
    kept."""
    rows = []
    for attempt in done:
        row = _row_of(attempt) | {"failure": attempt.outcome.failure and attempt.outcome.failure.value}
        delivery = deliveries.get(attempt.work.delivery_id)
        if delivery is not None and delivery["erased"]:
            row["response_text"] = ""
        rows.append(row)
    await tx.execute_many(
        """
        insert into webhook_attempts (delivery_id, number, trigger, actor, started_at, duration_ms, status_code,
            failure, response_text, response_truncated)
        values (:delivery_id, :number, :trigger, :actor, :started_at, :duration_ms, :status_code,
            :failure, :response_text, :response_truncated)
        on conflict (delivery_id, number) do update
        set started_at = excluded.started_at, duration_ms = excluded.duration_ms, status_code = excluded.status_code,
            failure = excluded.failure, response_text = excluded.response_text,
            response_truncated = excluded.response_truncated
        """,
        rows,
    )


def _row_of(attempt: EndedAttempt) -> dict[str, Any]:
    """An attempt as the log has it, but for why it failed."""
    work, outcome = attempt.work, attempt.outcome
    return {
        "delivery_id": work.delivery_id,
        "number": work.number,
        "trigger": work.trigger.value,
        "actor": work.actor,
        "started_at": attempt.started_at,
        "duration_ms": outcome.duration_ms,
        "status_code": outcome.status_code,
        "response_text": outcome.response_text,
        "response_truncated": outcome.response_truncated,
    }
