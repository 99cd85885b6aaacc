"""Webhook endpoints and their deliveries: creating, changing, rotating, testing, sending again, recovering.

Whether a URL may be used is asked before, outside the transaction: `checked`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from services.alerting.courier.domain.deliveries import (
    MAX_RECOVERED,
    TEST_TYPE,
    DisabledReason,
    EndpointSettings,
    EndpointStatus,
)
from services.alerting.courier.domain.retry import Status
from services.alerting.courier.domain.signing import Secret, TooManySecrets, new_secret, rotated
from services.alerting.courier.store import endpoints as store
from services.alerting.courier.store import log
from services.alerting.courier.store.endpoints import SealedSecret
from services.alerting.courier.store.health import disable
from services.alerting.courier.store.log import Range
from services.alerting.outbound.domain.addresses import Refused
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Unsealable, Vault, headers_of, secret_of
from shared.access.caller import Caller
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import BadRequest, Conflict, Gone, Invalid, NotFound
from shared.ids import uuid7

MAX_RECOVER_AGE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What the calls about webhooks need.

    `wake` is called after the commit that made something due, `drop` after one that changed an endpoint;
    `recover_every` is the distance at which recovered deliveries become due.
    """

    database: Database
    clock: Clock
    egress: Egress
    vault: Vault
    wake: Callable[[], None]
    drop: Callable[[str], None]
    recover_every: timedelta


async def checked(egress: Egress, url: str) -> str:
    """The URL, if a webhook may go there. Raises `Invalid`."""
    try:
        await egress.check(url)
    except Refused as refusal:
        raise invalid_field("url", str(refusal), code="url_not_allowed") from None
    return url


async def create_endpoint(
    tx: WriteTx, webhooks: Webhooks, caller: Caller, wanted: EndpointSettings, secret: str | None
) -> tuple[str, str]:
    """A new endpoint; returns its id and, for this once, its secret. A caller limited to an owner makes one
    that gets only what concerns the owner's accounts."""
    endpoint_id, value, now = store.new_endpoint_id(), secret or new_secret(), webhooks.clock.now()
    values = _columns(webhooks.vault, endpoint_id, {f.name: getattr(wanted, f.name) for f in fields(wanted)})
    values |= {"endpoint_id": endpoint_id, "owner_email": caller.owner_email, "created_by": caller.key_id}
    await store.insert(tx, values, now)
    await _keep(tx, webhooks.vault, endpoint_id, [Secret(value, now)])
    return endpoint_id, value


async def change_endpoint(
    tx: WriteTx,
    webhooks: Webhooks,
    caller: Caller,
    endpoint_id: str,
    changes: Mapping[str, Any],
    enabled: bool | None,
) -> None:
    """Change what is given. Disabling holds what waits; enabling lets new messages through and leaves held
    ones for `recover`, so that nothing floods. Raises `NotFound`."""
    await _locked(tx, caller, endpoint_id)
    now = webhooks.clock.now()
    values = _columns(webhooks.vault, endpoint_id, changes)
    if enabled:
        values |= {"status": "enabled", "disabled_reason": None, "disabled_at": None}
    if enabled or "url" in changes:
        await store.forget_health(tx, endpoint_id)
    if values:
        await store.update(tx, endpoint_id, values, now)
    if enabled is False:
        await disable(tx, endpoint_id, DisabledReason.BY_HAND, now)


async def delete_endpoint(tx: WriteTx, webhooks: Webhooks, caller: Caller, endpoint_id: str) -> None:
    """End an endpoint; what waited for it is cancelled. Raises `NotFound`."""
    await _locked(tx, caller, endpoint_id)
    await store.delete(tx, endpoint_id, webhooks.clock.now())


async def rotate_secret(
    tx: WriteTx, webhooks: Webhooks, caller: Caller, endpoint_id: str, secret: str | None, grace: timedelta
) -> str:
    """A new current secret, made or imported, which is returned; the one before it signs for `grace` more.

    Raises `NotFound`, and `BadRequest` while ten old ones are live.
    """
    await _locked(tx, caller, endpoint_id)
    now, value = webhooks.clock.now(), secret or new_secret()
    try:
        held = [
            Secret(webhooks.vault.open(row.sealed, secret_of(endpoint_id)), row.created_at, row.expires_at)
            for row in await store.secrets(tx, endpoint_id)
        ]
    except Unsealable:
        held = []  # sealed with another deployment's key: nothing was signed with them, nothing is lost
    try:
        after = rotated(held, value, now, grace)
    except TooManySecrets as error:
        at = error.next_expiry.isoformat().replace("+00:00", "Z")
        raise BadRequest("too_many_secrets", f"ten old secrets still sign; the next one expires at {at}") from None
    await _keep(tx, webhooks.vault, endpoint_id, after)
    await store.update(tx, endpoint_id, {}, now)
    return value


async def test_endpoint(tx: WriteTx, webhooks: Webhooks, caller: Caller, endpoint_id: str) -> str:
    """Queue a test message, tried once, through the same queue, signer and guard as all; returns the
    delivery."""
    _require_enabled(await _locked(tx, caller, endpoint_id))
    now = webhooks.clock.now()
    body = {
        "type": TEST_TYPE,
        "timestamp": now.isoformat().replace("+00:00", "Z"),
        "data": {"endpoint_id": endpoint_id, "text": "A test from Tellback: it reached you."},
        "sequence": None,
    }
    message = {
        "message_id": f"msg_{uuid7()}",
        "event_type": TEST_TYPE,
        "body": json.dumps(body, separators=(",", ":")).encode(),
    }
    return await log.insert_test(tx, endpoint_id, message, actor_of(caller), now)


async def resend(tx: WriteTx, webhooks: Webhooks, caller: Caller, delivery_id: str) -> None:
    """Send a delivery again now, with the same id and body.

    It takes the place of a pending automatic attempt, and the schedule goes on behind it; after the end of
    the schedule it is one attempt only. Raises `NotFound`, `Conflict` and `Gone`.
    """
    await log.lock(tx, delivery_id)
    delivery = await log.find(tx, delivery_id, caller.owner_email)
    if delivery is None:
        raise NotFound("not_found", "there is no such delivery")
    _require_enabled(delivery.endpoint_status)
    if delivery.body is None:
        raise Gone("payload_purged", "what was sent is no longer kept")
    if delivery.status is Status.SENDING:
        await log.send_again_afterwards(tx, delivery_id, actor_of(caller))
        return
    single = delivery.status not in (Status.PENDING, Status.HELD)
    await log.send_again(tx, delivery_id, actor_of(caller), single=single, now=webhooks.clock.now())


async def recover(
    tx: WriteTx, webhooks: Webhooks, caller: Caller, endpoint_id: str, since: datetime, until: datetime | None
) -> tuple[str, int]:
    """Send what never met a 2xx in a range of at most 14 days back; returns a job id and the number of
    deliveries.

    They become due one by one, oldest first, queue behind new messages and keep the endpoint's limit. Raises
    `NotFound`, `Conflict`, `Invalid`.
    """
    now = webhooks.clock.now()
    span = Range(endpoint_id, since, until or now)
    if since < now - MAX_RECOVER_AGE:
        raise invalid_field("since", "must be at most 14 days ago", code="too_old")
    if span.until <= since:
        raise invalid_field("until", "must be after since")
    _require_enabled(await _locked(tx, caller, endpoint_id))
    if await log.count_unheard(tx, span) > MAX_RECOVERED:
        raise invalid_field("since", f"more than {MAX_RECOVERED} deliveries; choose a shorter range", code="too_many")
    job_id = f"rec_{uuid7().hex}"
    return job_id, await log.recover(tx, span, job_id, actor_of(caller), now, webhooks.recover_every)


def actor_of(caller: Caller) -> str:
    """How an attempt names who asked for it."""
    return f"key:{caller.key_id}"


def invalid_field(field: str, detail: str, *, code: str = "invalid_value") -> Invalid:
    """A broken rule of one field."""
    problem = {"field": field, "code": code, "detail": detail}
    return Invalid("invalid_request", "the request breaks the rules of its fields", errors=[problem])


async def _locked(tx: WriteTx, caller: Caller, endpoint_id: str) -> EndpointStatus:
    """Hold the endpoint's row. Raises `NotFound`, also for another owner's."""
    status = await store.lock(tx, endpoint_id, caller.owner_email)
    if status is None:
        raise NotFound("not_found", "there is no such endpoint")
    return status


def _require_enabled(status: EndpointStatus) -> None:
    if status is EndpointStatus.DISABLED:
        raise Conflict("endpoint_disabled", "the endpoint is disabled; enable it first")
    if status is EndpointStatus.DELETED:
        raise Conflict("endpoint_deleted", "the endpoint was deleted")


def _columns(vault: Vault, endpoint_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as columns: values of custom headers sealed, only their names in clear."""
    values = dict(settings)
    if "event_types" in values and values["event_types"] is not None:
        values["event_types"] = list(values["event_types"])
    if "headers" in values:
        headers = values.pop("headers") or {}
        values["header_names"] = list(headers)
        values["sealed_headers"] = vault.seal(json.dumps(headers), headers_of(endpoint_id)) if headers else None
    return values


async def _keep(tx: WriteTx, vault: Vault, endpoint_id: str, secrets: list[Secret]) -> None:
    await store.replace_secrets(
        tx,
        endpoint_id,
        [
            SealedSecret(vault.seal(secret.value, secret_of(endpoint_id)), secret.created_at, secret.expires_at)
            for secret in secrets
        ],
    )
