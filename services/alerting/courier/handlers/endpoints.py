"""What people do with webhook endpoints: creating, changing, deleting, rotating the secret.

Whether a URL may be used is asked before, outside the transaction.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

from services.alerting.courier.domain.deliveries import (
    DisabledReason,
    EndpointSettings,
)
from services.alerting.courier.domain.signing import Secret, TooManySecrets, new_secret, rotated
from services.alerting.courier.handlers.resources import Courier, locked
from services.alerting.courier.store import endpoints as store
from services.alerting.courier.store.endpoints import SealedSecret
from services.alerting.courier.store.health import disable
from services.alerting.outbound.gateways.vault import Unsealable, Vault, headers_of, secret_of
from shared.access.caller import Caller
from shared.db.transaction import WriteTx
from shared.errors import BadRequest


async def create_endpoint(
    tx: WriteTx, courier: Courier, caller: Caller, wanted: EndpointSettings, secret: str | None
) -> tuple[str, str]:
    """A new endpoint; returns its id and, for this once, its secret. A caller limited to an owner makes one
    that gets only what concerns the owner's accounts."""
    endpoint_id, value, now = store.new_endpoint_id(), secret or new_secret(), courier.clock.now()
    values = _columns(courier.vault, endpoint_id, {f.name: getattr(wanted, f.name) for f in fields(wanted)})
    values |= {"endpoint_id": endpoint_id, "owner_email": caller.owner_email, "created_by": caller.key_id}
    await store.insert(tx, values, now)
    await _keep(tx, courier.vault, endpoint_id, [Secret(value, now)])
    return endpoint_id, value


async def change_endpoint(
    tx: WriteTx,
    courier: Courier,
    caller: Caller,
    endpoint_id: str,
    changes: Mapping[str, Any],
    enabled: bool | None,
) -> None:
    """Change what is given. Disabling holds what waits; enabling lets new messages through and leaves held
    ones for `recover`, so that nothing floods. Raises `NotFound`."""
    await locked(tx, caller, endpoint_id)
    now = courier.clock.now()
    values = _columns(courier.vault, endpoint_id, changes)
    if enabled:
        values |= {"status": "enabled", "disabled_reason": None, "disabled_at": None}
    if enabled or "url" in changes:
        await store.reset_health(tx, endpoint_id)
    if values:
        await store.update(tx, endpoint_id, values, now)
    if enabled is False:
        await disable(tx, endpoint_id, DisabledReason.BY_HAND, now)


async def delete_endpoint(tx: WriteTx, courier: Courier, caller: Caller, endpoint_id: str) -> None:
    """End an endpoint; what waited for it is cancelled. Raises `NotFound`."""
    await locked(tx, caller, endpoint_id)
    await store.delete(tx, endpoint_id, courier.clock.now())


async def rotate_secret(
    tx: WriteTx, courier: Courier, caller: Caller, endpoint_id: str, secret: str | None, grace: timedelta
) -> str:
    """A new current secret, made or imported, which is returned; the one before it signs for `grace` more.

    Raises `NotFound`, and `BadRequest` while ten old ones are live.
    """
    await locked(tx, caller, endpoint_id)
    now, value = courier.clock.now(), secret or new_secret()
    try:
        held = [
            Secret(courier.vault.open(row.sealed, secret_of(endpoint_id)), row.created_at, row.expires_at)
            for row in await store.secrets(tx, endpoint_id)
        ]
    except Unsealable:
        held = []  # sealed with another deployment's key: nothing was signed with them, nothing is lost
    try:
        after = rotated(held, value, now, grace)
    except TooManySecrets as error:
        at = error.next_expiry.isoformat().replace("+00:00", "Z")
        raise BadRequest("too_many_secrets", f"ten old secrets still sign; the next one expires at {at}") from None
    await _keep(tx, courier.vault, endpoint_id, after)
    await store.update(tx, endpoint_id, {}, now)
    return value


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
