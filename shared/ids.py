"""Ids: their canonical form, the lock slot of an account, and UUIDs that are derived deterministically."""

import os
import re
import time
import unicodedata
import zlib
from functools import lru_cache
from hashlib import sha1
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from shared.errors import Invalid
from shared.identity import canonical_stakeholder_id

MAX_ID_LENGTH = 200
LOCK_SLOTS = 1024
NAMESPACE = UUID("7a1d3a2e-8d7e-5f2b-9c1c-2b4b1a0f6e55")
"""Root of every UUIDv5 that Tellback derives; it never changes, since stored ids follow from it."""
_NAMESPACE = NAMESPACE.bytes

_FORBIDDEN = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]")


def canonical_id(value: str) -> str:
    """The canonical form of an id: NFC, trimmed, 1 to 200 characters, case kept.

    Raises ValueError for control characters, `/`, `\\`, `.`, `..`, lone surrogates, and wrong lengths.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    value = unicodedata.normalize("NFC", value).strip()
    if not 1 <= len(value) <= MAX_ID_LENGTH:
        raise ValueError(f"must have 1 to {MAX_ID_LENGTH} characters")
    if value in (".", "..") or _FORBIDDEN.search(value):
        raise ValueError("must not hold '/', '\\', control characters, nor be '.' or '..'")
    return value


Identifier = Annotated[
    str,
    StringConstraints(strict=True, max_length=1000),
    AfterValidator(canonical_id),
    Field(examples=["acme"]),
]
"""A pydantic type for an id in canonical form; for requests only, since the ids of events are canonical already."""


def require_stakeholder_id(value: str) -> str:
    """A stakeholder's id in canonical form. Raises ValueError for a text that can be no id."""
    return canonical_id(canonical_stakeholder_id(canonical_id(value)))


@lru_cache(maxsize=1_024)  # a row of a file asks for it three times
def stakeholder_of(email: str) -> str:
    """The stakeholder_id of a person known by e-mail alone: the address in lower case, without any look-up. Raises
    ValueError for an address that can be no id."""
    return require_stakeholder_id(canonical_id(email).lower())


StakeholderIdentifier = Annotated[Identifier, AfterValidator(require_stakeholder_id)]
"""A pydantic type for a stakeholder's id; for requests only, as `Identifier`."""


def require_id(value: str) -> str:
    """`canonical_id` for a path or query parameter; raises `Invalid` (422)."""
    try:
        return canonical_id(value)
    except ValueError as error:
        raise Invalid("invalid_id", str(error)) from None


def lock_slot(account_id: str) -> int:
    """The advisory-lock slot of an account, 0 to 1,023."""
    return zlib.crc32(account_id.encode()) % LOCK_SLOTS


def derived_uuid(*parts: str) -> UUID:
    """UUIDv5 of the parts: the same parts give the same id, on any machine. Parts are length-prefixed, so that no part
    can pass for two."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    # What uuid5 makes, in half of its time: two are made for each row of a file.
    made = int.from_bytes(sha1(_NAMESPACE + text.encode(), usedforsecurity=False).digest()[:16])
    return UUID(int=made & ~(0xF << 76 | 0x3 << 62) | 0x5 << 76 | 0x2 << 62)


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562, version 7), so that new rows lie together in an index."""
    milliseconds = time.time_ns() // 1_000_000
    random = _random()
    return UUID(int=(milliseconds << 80 | 0x7 << 76 | 0x2 << 62) | random & ~(0xF << 76 | 0x3 << 62))


def uuid7s(count: int) -> list[str]:
    """`count` ids of version 7 as text, ascending from a random one (RFC 9562, section 6.2, method 2), for little more
    than the cost of one."""
    moment = f"{time.time_ns() // 1_000_000:012x}"
    random = _random()
    first = random & _NODE >> 1  # so that counting up from it never needs another digit
    variant = 0x8000 | random >> 48 & 0x3FFF
    start = f"{moment[:8]}-{moment[8:]}-{0x7000 | random >> 62 & 0xFFF:x}-{variant:x}-"
    return [f"{start}{node:012x}" for node in range(first, first + count)]


def _random() -> int:
    """80 random bits of the kernel, fetched for many ids at once: a system call costs more than the rest of an id."""
    try:
        return _stock.pop()
    except IndexError:
        fresh = os.urandom(10 * _STOCKED)
        _stock.extend(int.from_bytes(fresh[at : at + 10]) for at in range(10, len(fresh), 10))
        return int.from_bytes(fresh[:10])


_STOCKED = 100
_stock: list[int] = []
os.register_at_fork(after_in_child=_stock.clear)
_NODE = 0xFFFF_FFFF_FFFF
"""The last of the five fields of a UUID."""
