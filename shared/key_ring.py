"""The ring of secret keys, newest first. An entry is a key, or what is left of a retired one: its hash key alone.

What is encrypted or signed can be made anew under another key, a keyed hash only by whoever has the plain text, which
for erased people nobody has. So hashes have a key of their own, derived from the secret key: it outlives it, and can
neither open nor sign anything.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

RETIRED: Final = "retired:"
"""Stands before the hash key of a retired key."""
HASH_KEY_BYTES: Final = 32
KEY_ID_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class HashKey:
    """Keys the hashes of what must be recognised when it is gone. `key_id`, 16 hexadecimal digits, names the key in
    all that was made with it, and says nothing of it."""

    secret: bytes = field(repr=False)
    key_id: str

    def digest(self, purpose: str, content: bytes) -> bytes:
        """HMAC-SHA256, 32 bytes; the purpose keeps the hashes of one kind apart from those of another."""
        return hmac.new(self.secret, purpose.encode() + b"\n" + content, sha256).digest()


def split_ring(text: str) -> tuple[str, ...]:
    """The entries of a ring, which stand apart by commas or white space."""
    return tuple(re.findall(r"[^\s,]+", text))


def is_retired(entry: str) -> bool:
    """Whether only the hash key is left of this key."""
    return entry.startswith(RETIRED)


def secret_keys(ring: Iterable[str]) -> tuple[str, ...]:
    """The entries that seal, sign and open, in their order: all but the retired ones."""
    return tuple(entry for entry in ring if not is_retired(entry))


def hash_key(entry: str) -> HashKey:
    """The hash key of an entry. Raises ValueError for a retired one that is not whole."""
    if is_retired(entry):
        secret = _bytes(entry.removeprefix(RETIRED))
        if len(secret) != HASH_KEY_BYTES:
            raise ValueError("must be whole after `retired:`")
    else:
        secret = hmac.new(entry.encode(), b"tellback:hashes", sha256).digest()
    return HashKey(secret, hmac.new(secret, b"tellback:key-id", sha256).hexdigest()[:KEY_ID_LENGTH])


def hash_keys(ring: Iterable[str]) -> tuple[HashKey, ...]:
    """The hash keys of all entries, in their order."""
    return tuple(map(hash_key, ring))


def key_id(entry: str) -> str:
    """The id of an entry; that of a key stays when it is retired."""
    return hash_key(entry).key_id


def retired(entry: str) -> str:
    """The entry that is left of a key when it is retired: `retired:` and the hash key in URL-safe base64."""
    return RETIRED + base64.urlsafe_b64encode(hash_key(entry).secret).decode().rstrip("=")


def fault_of(ring: Sequence[str]) -> str | None:
    """What is wrong with a ring beside weak keys; None when nothing is. Names no key."""
    if not ring:
        return "must name a key"
    ids: list[str] = []
    for number, entry in enumerate(ring, start=1):
        try:
            known = key_id(entry)
        except ValueError as error:
            return f"key {number} {error}"
        if known in ids:
            return f"key {number} is key {ids.index(known) + 1} once more: leave each in once"
        ids.append(known)
    if is_retired(ring[0]):
        return "key 1 is retired: the newest key stands first"
    return None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""
