"""Secrets of endpoints and rooms at rest, and what each belongs to."""

from shared import vault

Unsealable = vault.Unsealable
WEBHOOKS = "tellback.alerting.webhooks"
"""What the vault is for."""


class Vault(vault.Vault):
    """What alerting seals."""

    def __init__(self, ring: tuple[str, ...]) -> None:
        super().__init__(ring, WEBHOOKS)


def secret_of(endpoint_id: str) -> str:
    """What a sealed secret belongs to."""
    return f"secret/{endpoint_id}"


def headers_of(endpoint_id: str) -> str:
    """What the sealed custom headers belong to."""
    return f"headers/{endpoint_id}"


def notification_of(notification_id: str) -> str:
    """What the sealed address of a room belongs to."""
    return f"notification/{notification_id}"
