"""The secrets of an endpoint, for whoever checks what its receiver sends back."""

from dataclasses import dataclass, field
from datetime import datetime

from services.alerting.courier.domain.deliveries import EndpointStatus
from services.alerting.courier.domain.signing import Secret, live
from services.alerting.courier.store import endpoints as store
from services.alerting.outbound.gateways.vault import Unsealable, Vault, secret_of
from shared.db.transaction import ReadTx


@dataclass(frozen=True, slots=True)
class SigningEndpoint:
    """An endpoint whose receiver signs call-backs: its owner, whether it is enabled, and its live secrets."""

    owner_email: str | None
    enabled: bool
    secrets: tuple[str, ...] = field(repr=False)


async def secrets_of(tx: ReadTx, vault: Vault, endpoint_id: str, now: datetime) -> SigningEndpoint | None:
    """The endpoint with the secrets that sign at `now`; None where there is no such endpoint."""
    endpoint = await store.find(tx, endpoint_id, None, now)
    if endpoint is None:
        return None
    stored = []
    for row in await store.secrets(tx, endpoint_id):
        try:
            value = vault.open(row.sealed, secret_of(endpoint_id))
        except Unsealable:
            continue  # sealed with another deployment's key: nobody can have signed with it for us
        stored.append(Secret(value, row.created_at, row.expires_at))
    secrets = tuple(secret.value for secret in live(stored, now))
    return SigningEndpoint(endpoint.owner_email, endpoint.status is EndpointStatus.ENABLED, secrets)
