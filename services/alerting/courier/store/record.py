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
    results = await _deliver(tx, [attempt for attempt in done if attempt.outcome.failure is None], policies.now)
    results += await _fail(
        tx, [attempt for attempt in done if attempt.outcome.failure is not None], endpoints, policies
    )
    await _send_again(tx, [result.attempt.work.delivery_id for result in results if result.wanted_again], policies.now)
    return RecordedAttempts(results, await update_health(tx, endpoints, done, policies.health, policies.now))


async def _deliver(tx: WriteTx, done: Sequence[EndedAttempt], now: datetime) -> list[AttemptResult]:
    """Successes, the common case, in one statement. An outcome that comes after the lease has passed counts as
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
        **as_columns(
            {
                "ids": attempt.work.delivery_id,
                "numbers": attempt.work.number,
                "triggers": attempt.work.trigger.value,
                "actors": attempt.work.actor,
                "starts": attempt.started_at,
                "durations": attempt.outcome.duration_ms,
                "codes": attempt.outcome.status_code,
                "texts": attempt.outcome.response_text,
                "truncated": attempt.outcome.response_truncated,
            }
            for attempt in done
        ),
    )
    delivered = {row["delivery_id"]: row["wanted_again"] for row in rows}
    return [
        AttemptResult(attempt, Status.DELIVERED, given_up=False, wanted_again=delivered[attempt.work.delivery_id])
        for attempt in done
        if attempt.work.delivery_id in delivered
    ]


async def _fail(
    tx: WriteTx, done: Sequence[EndedAttempt], endpoints: Mapping[str, RowMapping], policies: AttemptPolicies
) -> list[AttemptResult]:
    """Failures: the next step of each depends on its own delivery."""
    if not done:
        return []
    deliveries = await _locked_deliveries(tx, [attempt.work.delivery_id for attempt in done])
    await _log_attempts(tx, done, {key for key, row in deliveries.items() if row["erased"]})
    states = {endpoint_id: str(row["status"]) for endpoint_id, row in endpoints.items()}
    states |= await _disable_gone(tx, done, policies.now)
    results, updates = [], []
    for attempt in done:
        row = deliveries.get(attempt.work.delivery_id)
        if row is None or row["status"] != "sending" or row["attempts"] != attempt.work.number:
            continue  # purged, or its lease was lost and others have taken over
        verdict = after_attempt(
            row["step"],
            attempt.outcome,
            policies.retry,
            policies.uniform,
            single=row["single"],
            delivered_before=row["delivered_at"] is not None,
        )
        verdict = _at("deleted" if row["erased"] else states[attempt.work.endpoint_id], verdict)
        updates.append(_update_of(attempt, row, verdict, policies.now))
        given_up = verdict.status is Status.EXHAUSTED and not row["single"]
        results.append(AttemptResult(attempt, verdict.status, given_up, wanted_again=row["resend_by"] is not None))
    await _update_deliveries(tx, updates)
    ended = [result.attempt.work for result in results if result.given_up]
    await notify(
        tx, [OperatorNotice(work.endpoint_id, "exhausted", work.delivery_id, work=work) for work in ended], policies.now
    )
    return results


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
    for endpoint_id in sorted({attempt.work.endpoint_id for attempt in done if attempt.outcome.status_code == 410}):
        if await disable(tx, endpoint_id, DisabledReason.GONE, now):
            changed[endpoint_id] = "disabled"
            await notify(tx, [OperatorNotice(endpoint_id, "gone", now.isoformat())], now)
    return changed


def _at(endpoint_status: str, verdict: NextStep) -> NextStep:
    """Nothing waits for an attempt at an endpoint that gets none."""
    if verdict.status is Status.PENDING and endpoint_status != "enabled":
        return NextStep(Status.HELD if endpoint_status == "disabled" else Status.CANCELLED, verdict.step)
    return verdict


def _update_of(attempt: EndedAttempt, row: RowMapping, verdict: NextStep, now: datetime) -> dict[str, Any]:
    open_still = verdict.status in (Status.PENDING, Status.HELD)
    return {
        "delivery_id": attempt.work.delivery_id,
        "status": verdict.status.value,
        "step": verdict.step,
        "next_attempt_at": None if verdict.wait is None else now + timedelta(seconds=verdict.wait),
        "last_failure": attempt.outcome.failure and attempt.outcome.failure.value,
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
                "delivery_id": attempt.work.delivery_id,
                "number": attempt.work.number,
                "trigger": attempt.work.trigger.value,
                "actor": attempt.work.actor,
                "started_at": attempt.started_at,
                "duration_ms": attempt.outcome.duration_ms,
                "status_code": attempt.outcome.status_code,
                "failure": attempt.outcome.failure and attempt.outcome.failure.value,
                "response_text": "" if attempt.work.delivery_id in erased else attempt.outcome.response_text,
                "response_truncated": attempt.outcome.response_truncated,
            }
            for attempt in done
        ],
    )
