"""Encryption of secrets at rest: sealed with a key derived from the deployment's, bound to their owner."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE_BYTES = 12


class Unsealable(Exception):
    """The bytes were sealed with another key or purpose, for another owner, or were altered."""


class Vault:
    """AES-256-GCM; the key is HKDF-SHA256 of the deployment's secret key for one `purpose`, so that what one service
    seals no other opens."""

    def __init__(self, secret_key: str, purpose: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret_key.encode()))

    def seal(self, text: str, belongs_to: str) -> bytes:
        """Encrypt; `open` succeeds for the same `belongs_to` only."""
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
