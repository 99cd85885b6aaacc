"""Encryption of secrets at rest: sealed with a key derived from the deployment's newest, bound to their owner, and
opened with that of the deployment's keys which sealed them."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.key_ring import key_id, secret_keys

_VERSION = b"\x02"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_HEAD = len(_VERSION) + _KEY_ID_BYTES
KEY_ID_SQL = f"encode(substring({{column}} from {len(_VERSION) + 1} for {_KEY_ID_BYTES}), 'hex')"
"""SQL for the id of the key that sealed the bytes of a column."""


class Unsealable(Exception):
    """The bytes were sealed with a key that is not there, for another purpose or owner, or were altered."""


class Vault:
    """AES-256-GCM; the keys are HKDF-SHA256 of the deployment's secret keys for one `purpose`, so that what one
    service seals no other opens. What is sealed begins with the version and the id of its key."""

    def __init__(self, ring: tuple[str, ...], purpose: str) -> None:
        """The first of the ring's keys seals, each opens."""
        keys = secret_keys(ring)
        self._ciphers = {bytes.fromhex(key_id(key)): _cipher(key, purpose) for key in keys}
        self._newest = bytes.fromhex(key_id(keys[0]))

    def seal(self, text: str, belongs_to: str) -> bytes:
        """Encrypt; `open` succeeds for the same `belongs_to` only."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, text.encode(), belongs_to.encode())
        return _VERSION + self._newest + nonce + sealed

    def open(self, sealed: bytes, belongs_to: str) -> str:
        """Decrypt. Raises `Unsealable`."""
        head, nonce, rest = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE_BYTES], sealed[_HEAD + _NONCE_BYTES :]
        cipher = self._ciphers.get(head[len(_VERSION) :])
        if cipher is None or not head.startswith(_VERSION):
            raise Unsealable
        try:
            return cipher.decrypt(nonce, rest, belongs_to.encode()).decode()
        except (InvalidTag, ValueError):
            raise Unsealable from None


def _cipher(secret_key: str, purpose: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret_key.encode()))
