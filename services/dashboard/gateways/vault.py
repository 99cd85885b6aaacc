"""API keys at rest: sealed with a key derived from the deployment's, bound to the person they belong to."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_PURPOSE = b"tellback.dashboard.keys"


class Vault:
    """AES-256-GCM; the key is HKDF-SHA256 of the deployment's secret key."""

    def __init__(self, secret_key: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret_key.encode()))

    def seal(self, text: str, belongs_to: str) -> bytes:
        """Encrypt; it opens again for the same `belongs_to` only."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> str | None:
        """Decrypt; None when it was sealed with another key, for somebody else, or was altered."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], belongs_to.encode()).decode()
        except (InvalidTag, ValueError):
            return None
