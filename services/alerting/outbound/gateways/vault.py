"""Secrets at rest: sealed with a key derived from the deployment's, bound to the row they belong to."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE_BYTES = 12
_PURPOSE = b"tellback.alerting.webhooks"


class Unsealable(Exception):
    """The bytes were sealed with another key, for another row, or were altered."""


def secret_of(endpoint_id: str) -> str:
    """What a sealed secret belongs to."""
    return f"secret/{endpoint_id}"


def headers_of(endpoint_id: str) -> str:
    """What the sealed custom headers belong to."""
    return f"headers/{endpoint_id}"


def notification_of(notification_id: str) -> str:
    """What the sealed address of a room belongs to."""
    return f"notification/{notification_id}"


class Vault:
    """AES-256-GCM; the key is HKDF-SHA256 of the deployment's secret key."""

    def __init__(self, secret_key: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret_key.encode()))

    def seal(self, text: str, belongs_to: str) -> bytes:
        """Encrypt; it opens again for the same `belongs_to` only."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> str:
        """Decrypt. Raises `Unsealable`."""
        version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if version != _VERSION:
            raise Unsealable
        try:
            return self._cipher.decrypt(nonce, rest, belongs_to.encode()).decode()
        except (InvalidTag, ValueError):
            raise Unsealable from None
