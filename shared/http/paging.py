"""Lists: `{items, next_cursor}`, `limit` 1 to 200, an opaque `cursor`, `sort=-nps`."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from shared.errors import Invalid

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_CURSOR_LENGTH = 2_000
_CHECK_BYTES = 9
_PERSON = b"tellback-cursor"

T = TypeVar("T")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items at most.")]
"""Use with a default: `limit: Limit = DEFAULT_LIMIT`."""
Cursor = Annotated[
    str | None, Query(max_length=MAX_CURSOR_LENGTH, description="`next_cursor` of the page before; opaque.")
]
"""Use with a default: `cursor: Cursor = None`."""


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(default=None, description="Asks for the next page; null on the last one.")


def encode_cursor(values: Sequence[Any], purpose: str = "") -> str:
    """The position after an item: the values of its sort keys, made opaque.

    Values may be None, bool, int, float, str, datetime (comes back as ISO text) and Decimal (as text).
    `purpose` ties the cursor to one list and order, so that it is not taken by another.
    """
    content = json.dumps(list(values), default=_plain, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_check(content, purpose) + content).rstrip(b"=").decode()


def decode_cursor(cursor: str, purpose: str = "") -> list[Any]:
    """The values of a cursor. Raises `Invalid` when it was altered or belongs to another list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _tampered() from None
    check, content = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    if check != _check(content, purpose):
        raise _tampered()
    values: list[Any] = json.loads(content)
    return values


def read_cursor(cursor: str, purpose: str, *parsers: Callable[[Any], Any]) -> list[Any]:
    """The values of a cursor, each read by its parser (`str`, `datetime.fromisoformat`, …). Raises `Invalid`."""
    try:
        return [parse(value) for parse, value in zip(parsers, decode_cursor(cursor, purpose), strict=True)]
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        raise _tampered() from None


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Any]], purpose: str = "") -> Page[Row]:
    """A page from up to `limit` + 1 rows; the extra one tells that there is more. `key` gives the sort keys."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return Page(items=items, next_cursor=encode_cursor(key(items[-1]), purpose) if more else None)


def parse_sort(sort: str, allowed: Collection[str]) -> tuple[str, bool]:
    """The key and whether it descends (`-nps`). Raises `Invalid` for a key that is not `allowed`."""
    key = sort.removeprefix("-")
    if key not in allowed:
        detail = f"must be one of {', '.join(sorted(allowed))}, with - before it to descend"
        raise Invalid("invalid_sort", detail, errors=[{"field": "sort", "code": "invalid_sort", "detail": detail}])
    return key, sort.startswith("-")


def _check(content: bytes, purpose: str) -> bytes:
    """A check sum, not a secret: a cursor leads nowhere that its caller may not go anyway."""
    return hashlib.blake2b(content, digest_size=_CHECK_BYTES, key=_PERSON + purpose.encode()[:40]).digest()


def _tampered() -> Invalid:
    return Invalid(
        "invalid_cursor",
        "the cursor is not one that this list gave out",
        errors=[{"field": "cursor", "code": "invalid_cursor", "detail": "is not one that this list gave out"}],
    )


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a cursor cannot hold {type(value).__name__}")
