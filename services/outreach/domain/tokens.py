"""Tokens of links, senders of bounces, and hashes of addresses: HMAC-SHA256 under keys that are derived from the
deployment's secret keys, so that none of them is stored.

A token is base64url of 16 bytes, one byte for the purpose and a MAC of 16 bytes: 44 characters. The local part that
bounces come back to names one mail of an ask; it is in base32, since mail servers may lower its case. Everything is
made under the first key of the ring and known under each; of a retired one only the hashes are known.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Final

from services.outreach.domain.addresses import canonical_address
from services.outreach.domain.mail_names import NAME_BYTES, MailName, name_of_bytes
from shared.key_ring import hash_keys, key_id, secret_keys

SUBJECT_BYTES: Final = 16
TOKEN_LENGTH: Final = 44
_MAC_BYTES: Final = 16
_BOUNCE_MAC_BYTES: Final = 10
_TOKEN = re.compile(r"[A-Za-z0-9_-]{44}")
_BOUNCE = re.compile(r"b\+([a-z2-7]{45})")
_BOUNCE_PADDING = "=" * 3


class Purpose(Enum):
    """What a token is for; a token of one purpose is unknown to all others."""

    ASK = b"\x01"
    UNSUBSCRIBE = b"\x02"
    REVIEW = b"\x03"
    BOUNCE = b"\x04"
    LOGO = b"\x05"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token carries: the 16 bytes of an ask, a review or a logo, or the hash of an address; and under
    which key it was made."""

    subject: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class AddressHash:
    """The keyed hash of an address in its one form, 16 bytes, and the id of its key: a hash cannot be made anew under
    another key when the address is gone."""

    key_id: str
    digest: bytes


class Tokens:
    """Makes and opens tokens. `ring` has at least one key; the first signs."""

    def __init__(self, ring: Sequence[str]) -> None:
        keys = secret_keys(ring)
        if not keys:
            raise ValueError("tokens need at least one key")
        self._keys = tuple(map(_Key, keys))
        self._hash_keys = hash_keys(ring)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys under which hashes are known, in their order."""
        return tuple(key.key_id for key in self._hash_keys)

    def made(self, purpose: Purpose, subject: bytes, key_id: str | None = None) -> str:
        """The token of an ask, a review (the bytes of its UUID) or an address (its `AddressHash.digest`). The first key
        makes it; a hash is brought back by the key `key_id` that made it, as long as that signs."""
        content = _checked(subject) + purpose.value
        key = next((key for key in self._keys if key.key_id == key_id), self._keys[0])
        return base64.urlsafe_b64encode(content + key.mac(content)[:_MAC_BYTES]).decode()

    def opened(self, purpose: Purpose, token: str) -> Opened | None:
        """What the token carries; None for one that was not made here or for another purpose. A text that cannot be a
        token is unknown without computing; all others take the same time."""
        if not _TOKEN.fullmatch(token):
            return None
        raw = base64.urlsafe_b64decode(token)
        subject, shown, mac = raw[:SUBJECT_BYTES], raw[SUBJECT_BYTES : SUBJECT_BYTES + 1], raw[SUBJECT_BYTES + 1 :]
        found = self._made_by(subject + purpose.value, mac)
        if found is None or not hmac.compare_digest(shown, purpose.value):
            return None
        return Opened(subject, found.key_id)

    def bounce_local_part(self, mail: MailName) -> str:
        """The local part of the envelope sender of a mail: `b+` and 45 characters."""
        name = mail.to_bytes()
        raw = name + self._keys[0].mac(name + Purpose.BOUNCE.value)[:_BOUNCE_MAC_BYTES]
        return "b+" + base64.b32encode(raw).decode().rstrip("=").lower()

    def bounced(self, local_part: str) -> MailName | None:
        """The mail that the local part of a bounce's recipient names, in whatever case it comes back; None for another
        one."""
        shown = _BOUNCE.fullmatch(local_part.lower())
        if shown is None:
            return None
        raw = base64.b32decode(shown[1].upper() + _BOUNCE_PADDING)
        name, mac = raw[:NAME_BYTES], raw[NAME_BYTES:]
        found = self._made_by(name + Purpose.BOUNCE.value, mac)
        if found is None or base64.b32encode(raw).decode().rstrip("=").lower() != shown[1]:
            return None
        return name_of_bytes(name)

    def address_hash(self, address: str) -> AddressHash:
        """The hash to store, under the first key. Raises ValueError for what is no address."""
        return self.address_hashes(address)[0]

    def address_hashes(self, address: str) -> tuple[AddressHash, ...]:
        """The hashes to look for, one under each key. Raises ValueError for what is no address."""
        canonical = canonical_address(address)
        hashes = []
        for key in self._hash_keys:
            digest = key.digest("addresses", canonical.encode())
            hashes.append(AddressHash(key.key_id, digest[:SUBJECT_BYTES]))
        return tuple(hashes)

    def _made_by(self, content: bytes, mac: bytes) -> "_Key | None":
        """The key under which the content has this MAC; each key is tried, so that the time says nothing."""
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.mac(content)[: len(mac)], mac):
                found = key
        return found


class _Key:
    """One key of the ring, with what is derived from it."""

    def __init__(self, secret: str) -> None:
        self._tokens = hmac.new(secret.encode(), b"tellback:outreach:tokens", sha256).digest()
        self.key_id = key_id(secret)

    def mac(self, content: bytes) -> bytes:
        """32 bytes."""
        return hmac.new(self._tokens, content, sha256).digest()


def _checked(subject: bytes) -> bytes:
    if len(subject) != SUBJECT_BYTES:
        raise ValueError("a token carries 16 bytes")
    return subject
