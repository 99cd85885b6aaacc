"""Endpoints, their secrets and their notices. A caller limited to an owner sees that owner's endpoints
only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import RowMapping

from services.alerting.courier.domain.deliveries import DisabledReason, Endpoint, EndpointStatus
from shared.db.sql import comma_list
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import uuid7

_SECRETS = """
    (select coalesce(jsonb_agg(jsonb_build_array(s.created_at, s.expires_at)
        order by s.created_at desc, s.secret_id desc), '[]')
     from webhook_secrets s where s.endpoint_id = e.endpoint_id
        and (s.expires_at is null or s.expires_at > :now)) as secrets
"""
_COLUMNS = (
    "endpoint_id, url, event_types, description, header_names, format, ordered, max_in_flight, owner_email, status,"
    " disabled_reason, disabled_at, consecutive_failures, first_failure_at, last_failure_at, last_success_at,"
    " breaker_opened_at, breaker_until, rest_until, version, created_at, updated_at"
)
_VISIBLE = "e.status <> 'deleted' and (cast(:owner as text) is null or e.owner_email = :owner)"


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret as it is stored."""

    sealed: bytes
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """Something an operator should hear of, once. `level` is a percentage of a limit; `event_type` and `message_id`
    name the message whose attempt brought it about."""

    kind: str
    subject: str
    level: int | None
    event_type: str | None
    message_id: str | None
    created_at: datetime


def new_endpoint_id() -> str:
    """A fresh id."""
    return f"ep_{uuid7().hex}"


async def insert(tx: WriteTx, values: dict[str, Any], now: datetime) -> None:
    """A new endpoint; `values` are columns."""
    names = ", ".join(values)
    await tx.execute(
        f"insert into webhook_endpoints ({names}, created_at, updated_at)"
        f" values ({comma_list(':{0}', values)}, :now, :now)",
        **values,
        now=now,
    )


async def update(tx: WriteTx, endpoint_id: str, values: dict[str, Any], now: datetime) -> None:
    """Set columns of an endpoint."""
    changed = values | {"updated_at": now}
    await tx.execute(
        f"update webhook_endpoints set {comma_list('{0} = :{0}', changed)}, version = version + 1"
        " where endpoint_id = :endpoint_id",
        **changed,
        endpoint_id=endpoint_id,
    )


async def reset_health(tx: WriteTx, endpoint_id: str) -> None:
    """Begin anew: what was learnt of an endpoint holds no more once it was enabled, or its URL changed."""
    await tx.execute(
        "update webhook_endpoints set consecutive_failures = 0, first_failure_at = null, failure_days = 0,"
        " recent = '[]', breaker_opened_at = null, breaker_until = null, rest_until = null"
        " where endpoint_id = :endpoint_id",
        endpoint_id=endpoint_id,
    )


async def find(tx: ReadTx, endpoint_id: str, owner: str | None, now: datetime) -> Endpoint | None:
    """The endpoint, if there is one for this caller."""
    row = await tx.one(
        f"select {_COLUMNS}, {_SECRETS} from webhook_endpoints e where e.endpoint_id = :endpoint_id and {_VISIBLE}",
        endpoint_id=endpoint_id,
        owner=owner,
        now=now,
    )
    if row is None:
        return None
    return _endpoint(row)


async def lock(tx: WriteTx, endpoint_id: str, owner: str | None) -> EndpointStatus | None:
    """Hold the endpoint's row until the end of the transaction; its status, None if none is there for this
    caller."""
    status = await tx.scalar(
        f"select status from webhook_endpoints e where e.endpoint_id = :endpoint_id and {_VISIBLE} for no key update",
        endpoint_id=endpoint_id,
        owner=owner,
    )
    if status is None:
        return None
    return EndpointStatus(status)


async def page(
    tx: ReadTx, owner: str | None, after: tuple[datetime, str] | None, limit: int, now: datetime
) -> list[Endpoint]:
    """Up to `limit` endpoints, oldest first, after (created_at, endpoint_id)."""
    after_at, after_id = after or (None, None)
    rows = await tx.all(
        f"""
        select {_COLUMNS}, {_SECRETS} from webhook_endpoints e
        where {_VISIBLE} and (cast(:after_id as text) is null
            or (e.created_at, e.endpoint_id) > (cast(:after_at as timestamptz), :after_id))
        order by e.created_at, e.endpoint_id limit :limit
        """,
        owner=owner,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
        now=now,
    )
    return [_endpoint(row) for row in rows]


async def delete(tx: WriteTx, endpoint_id: str, now: datetime) -> None:
    """End the endpoint: what waits is cancelled, secrets and header values are gone, the log stays."""
    await update(tx, endpoint_id, {"status": "deleted", "sealed_headers": None, "header_names": []}, now)
    await tx.execute(
        "update webhook_deliveries set status = 'cancelled', next_attempt_at = null, finished_at = :now"
        " where endpoint_id = :endpoint_id and status in ('pending', 'held')",
        endpoint_id=endpoint_id,
        now=now,
    )
    await replace_secrets(tx, endpoint_id, [])


async def secrets(tx: ReadTx, endpoint_id: str) -> list[SealedSecret]:
    """All stored secrets, also expired ones."""
    rows = await tx.all(
        "select sealed, created_at, expires_at from webhook_secrets where endpoint_id = :endpoint_id"
        " order by created_at desc, secret_id desc",
        endpoint_id=endpoint_id,
    )
    return [SealedSecret(row["sealed"], row["created_at"], row["expires_at"]) for row in rows]


async def replace_secrets(tx: WriteTx, endpoint_id: str, held: Sequence[SealedSecret]) -> None:
    """Store these secrets and no others; given newest first."""
    await tx.execute("delete from webhook_secrets where endpoint_id = :endpoint_id", endpoint_id=endpoint_id)
    await tx.execute_many(
        "insert into webhook_secrets (endpoint_id, sealed, created_at, expires_at)"
        " values (:endpoint_id, :sealed, :created_at, :expires_at)",
        [
            {
                "endpoint_id": endpoint_id,
                "sealed": secret.sealed,
                "created_at": secret.created_at,
                "expires_at": secret.expires_at,
            }
            for secret in reversed(held)
        ],
    )


async def names_of(tx: ReadTx, endpoint_ids: Iterable[str]) -> dict[str, str]:
    """What people call the endpoints: their description, or else the host; of deleted ones as well."""
    rows = await tx.all(
        "select endpoint_id, url, description from webhook_endpoints where endpoint_id = any(cast(:ids as text[]))",
        ids=sorted(endpoint_ids),
    )
    names = {}
    for row in rows:
        names[row["endpoint_id"]] = row["description"] or urlsplit(row["url"]).hostname or ""
    return names


async def held_count(tx: ReadTx, endpoint_id: str) -> int:
    """How many deliveries are held."""
    count: int = await tx.scalar(
        "select count(*) from webhook_deliveries where endpoint_id = :endpoint_id and status = 'held'",
        endpoint_id=endpoint_id,
    )
    return count


async def notices(tx: ReadTx, endpoint_id: str, limit: int = 20) -> list[StoredNotice]:
    """The newest notices."""
    rows = await tx.all(
        "select kind, subject, level, event_type, message_id, created_at from webhook_notices"
        " where endpoint_id = :endpoint_id order by notice_id desc limit :limit",
        endpoint_id=endpoint_id,
        limit=limit,
    )
    return [StoredNotice(**row) for row in rows]


def _endpoint(row: RowMapping) -> Endpoint:
    values: dict[str, Any] = dict(row)
    values["status"] = EndpointStatus(row["status"])
    values["header_names"] = tuple(row["header_names"])
    if row["event_types"] is not None:
        values["event_types"] = tuple(row["event_types"])
    if row["disabled_reason"] is not None:
        values["disabled_reason"] = DisabledReason(row["disabled_reason"])
    secrets = []
    for created_at, expires_at in row["secrets"]:
        secrets.append((datetime.fromisoformat(created_at), _moment(expires_at)))
    values["secrets"] = tuple(secrets)
    return Endpoint(**values)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    return datetime.fromisoformat(text)
