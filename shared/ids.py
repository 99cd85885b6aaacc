"""Ids: one canonical form, the lock slot of an account, and UUIDs that repeat on purpose."""

import os
import re
import time
import unicodedata
import zlib
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import AfterValidator, Field, StringConstraints

from shared.errors import Invalid

MAX_ID_LENGTH = 200
LOCK_SLOTS = 1024
NAMESPACE = UUID("7a1d3a2e-8d7e-5f2b-9c1c-2b4b1a0f6e55")
"""Root of every UUIDv5 that Tellback derives; fixed for ever, since stored ids follow from it."""

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
"""An id in its canonical form, as a pydantic type; for requests only, since the ids of events are canonical."""


def require_id(value: str) -> str:
    """`canonical_id` for a path or query parameter; raises `Invalid` (422)."""
    try:
        return canonical_id(value)
    except ValueError as error:
        raise Invalid("invalid_id", str(error)) from None


def stakeholder_of(email: str) -> str:
    """The stakeholder_id of a person known by e-mail alone: the address in lower case, without any look-up."""
    return canonical_id(email).lower()


def lock_slot(account_id: str) -> int:
    """The advisory-lock slot of an account, 0 to 1,023."""
    return zlib.crc32(account_id.encode()) % LOCK_SLOTS


def derived_uuid(*parts: str) -> UUID:
    """UUIDv5 of the parts: the same parts give the same id, on any machine. Parts are length-prefixed, so none can
    pretend to be two."""
    return uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts))


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562, version 7), so that new rows lie together in an index."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    return UUID(int=(milliseconds << 80 | 0x7 << 76 | 0x2 << 62) | random & ~(0xF << 76 | 0x3 << 62))


def uuid7s(count: int) -> list[str]:
    """So many of them as text, for little more than the price of one."""
    moment = f"{time.time_ns() // 1_000_000:012x}"
    start = f"{moment[:8]}-{moment[8:]}-7"
    digits = os.urandom(10 * count).hex()
    return [
        f"{start}{digits[at : at + 3]}-{_VARIANT[digits[at + 3]]}{digits[at + 4 : at + 7]}-{digits[at + 7 : at + 19]}"
        for at in range(0, 20 * count, 20)
    ]


_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
"""The upper two bits of this digit are RFC 9562's variant, the lower two random."""
