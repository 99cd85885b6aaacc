"""What attempts mean for their endpoint: its health, its being disabled, notices to the operator."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from services.alerting.courier.domain.deliveries import DisabledReason, DueAttempt, EndedAttempt
from services.alerting.courier.domain.endpoint_health import (
    Health,
    HealthPolicy,
    LevelReached,
    after_ended,
    worth_writing,
)
from shared.db.transaction import WriteTx


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """Something for the operator: about what, at which level (percent of a limit), by whose attempt."""

    endpoint_id: str
    kind: str
    subject: str
    level: int | None = None
    work: DueAttempt | None = None


@dataclass(frozen=True, slots=True)
class HealthEffects:
    """Notices that came about, and the endpoints that are to get nothing for now."""

    notices: list[OperatorNotice] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)


async def locked_endpoints(tx: WriteTx, endpoint_ids: Iterable[str]) -> dict[str, RowMapping]:
    """The rows of these endpoints, locked in order."""
    names = ", ".join(column.name for column in fields(Health))
    rows = await tx.all(
        f"select endpoint_id, status, {names}"
        " from webhook_endpoints where endpoint_id = any(cast(:ids as text[])) order by endpoint_id"
        " for no key update",
        ids=sorted(endpoint_ids),
    )
    return {row["endpoint_id"]: row for row in rows}


async def update_health(
    tx: WriteTx, endpoints: Mapping[str, RowMapping], done: Sequence[EndedAttempt], policy: HealthPolicy, now: datetime
) -> HealthEffects:
    """Judge the endpoints by the attempts that ended, and disable those that failed for too long."""
    effects, changed = HealthEffects(), []
    for endpoint_id, row in endpoints.items():
        before = health = _health_of(row)
        worn_out = False
        for attempt in done:
            if attempt.work.endpoint_id != endpoint_id:
                continue
            update = after_ended(health, attempt.outcome, attempt.started_at, now, policy)
            health, worn_out = update.health, worn_out or update.disable
            for reached in update.reached:
                effects.notices.append(_notice_of(endpoint_id, reached, attempt.work))
        if worth_writing(before, health, policy):
            changed.append({"endpoint_id": endpoint_id} | _columns_of(health))
        if health.breaker_opened_at is not None or (health.rest_until is not None and health.rest_until > now):
            effects.closed.add(endpoint_id)
        if worn_out:
            effects.closed.add(endpoint_id)
            await disable(tx, endpoint_id, DisabledReason.FAILING, now)
    await _save(tx, changed)
    await notify(tx, effects.notices, now)
    return effects


async def disable(tx: WriteTx, endpoint_id: str, reason: DisabledReason, now: datetime) -> bool:
    """Take an enabled endpoint out of service; what waits for it is held. False if it was not enabled."""
    changed = await tx.execute(
        "update webhook_endpoints set status = 'disabled', disabled_reason = :reason, disabled_at = :now,"
        " updated_at = :now, version = version + 1 where endpoint_id = :endpoint_id and status = 'enabled'",
        endpoint_id=endpoint_id,
        reason=reason.value,
        now=now,
    )
    if changed:
        await tx.execute(
            "update webhook_deliveries set status = 'held', next_attempt_at = null"
            " where endpoint_id = :endpoint_id and status = 'pending'",
            endpoint_id=endpoint_id,
        )
    return changed > 0


async def notify(tx: WriteTx, notices: Iterable[OperatorNotice], now: datetime) -> None:
    """Keep notices for the operator, each once."""
    await tx.execute_many(
        "insert into webhook_notices (endpoint_id, kind, subject, level, event_type, message_id, created_at)"
        " values (:endpoint_id, :kind, :subject, :level, :event_type, :message_id, :created_at) on conflict do nothing",
        [_row_of(notice, now) for notice in notices],
    )


def _row_of(notice: OperatorNotice, now: datetime) -> dict[str, Any]:
    return {
        "endpoint_id": notice.endpoint_id,
        "kind": notice.kind,
        "subject": notice.subject,
        "level": notice.level,
        "event_type": notice.work and notice.work.event_type,
        "message_id": notice.work and notice.work.message_id,
        "created_at": now,
    }


def _notice_of(endpoint_id: str, reached: LevelReached, work: DueAttempt) -> OperatorNotice:
    return OperatorNotice(endpoint_id, reached.kind, reached.since.isoformat(), reached.level, work)


def _health_of(row: RowMapping) -> Health:
    values: dict[str, Any] = {column.name: row[column.name] for column in fields(Health)}
    values["recent"] = tuple(map(tuple, row["recent"]))
    return Health(**values)


def _columns_of(health: Health) -> dict[str, Any]:
    return asdict(health) | {"recent": json.dumps(health.recent)}


async def _save(tx: WriteTx, rows: list[dict[str, Any]]) -> None:
    await tx.execute_many(
        "update webhook_endpoints set consecutive_failures = :consecutive_failures,"
        " first_failure_at = :first_failure_at, failure_days = :failure_days, last_failure_at = :last_failure_at,"
        " last_success_at = :last_success_at, recent = cast(:recent as jsonb), breaker_opened_at = :breaker_opened_at,"
        " breaker_until = :breaker_until, rest_until = :rest_until where endpoint_id = :endpoint_id",
        rows,
    )
