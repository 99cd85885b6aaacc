"""Encryption of secrets at rest: sealed with a key derived from the deployment's newest, bound to their owner, and
opened with whichever of the deployment's keys sealed them."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE_BYTES = 12


class Unsealable(Exception):
    """The bytes were sealed with a key that is not there, for another purpose or owner, or were altered."""


class Vault:
    """AES-256-GCM; the keys are HKDF-SHA256 of the deployment's secret keys for one `purpose`, so that what one
    service seals no other opens."""

    def __init__(self, secret_keys: tuple[str, ...], purpose: str) -> None:
        """The first of the keys seals, each opens."""
        self._ciphers = tuple(_cipher(key, purpose) for key in secret_keys)

    def seal(self, text: str, belongs_to: str) -> bytes:
        """Encrypt; `open` succeeds for the same `belongs_to` only."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._ciphers[0].encrypt(nonce, text.encode(), belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> str:
        """Decrypt. Raises `Unsealable`."""
        version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if version != _VERSION:
            raise Unsealable
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, rest, belongs_to.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise Unsealable


def _cipher(secret_key: str, purpose: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret_key.encode()))
