"""Lists: `{items, next_cursor}`, `limit` 1 to 200, an opaque `cursor`, `sort=-nps`."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from shared.errors import BadRequest, Invalid
from shared.http import strict_json
from shared.http.params import in_range

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_CURSOR_LENGTH = 4_000
"""Room for a name and two ids of 200 characters, 4 bytes each, and a third more for base64."""
_CHECK_BYTES = 9
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,20})?")

Kind = Callable[[Any], Any]
"""Reads one value of a cursor. Raises ValueError, TypeError or ArithmeticError for a value of another kind."""
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


def encode_cursor(values: Sequence[Any], purpose: str) -> str:
    """The position after an item: the values of its sort keys, made opaque. Values may be None, bool, int, float, str,
    date and datetime (as ISO text) and Decimal (as text). `purpose` binds the cursor to one list and order, so that no
    other accepts it."""
    content = json.dumps([purpose, *values], default=_plain, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_check(content) + content).rstrip(b"=").decode()


def read_cursor(cursor: str, purpose: str, *kinds: Kind) -> list[Any]:
    """The values of a cursor, each read by its kind. Raises `Invalid` unless `encode_cursor` may have made it for this
    purpose: neither its checksum nor its purpose is a secret, so the values are untrusted input."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, content = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        if check != _check(content):
            raise _tampered()
        sealed_for, *values = strict_json.loads(content)
        if sealed_for != purpose:
            raise _tampered()
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, ArithmeticError, BadRequest, Invalid):
        raise _tampered() from None


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError
    return value


def integer(value: Any) -> int:
    """An integer of 32 bits, as PostgreSQL calls one."""
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise ValueError
    return value


def number(value: Any) -> float:
    """A number, finite since the JSON was read strictly."""
    if type(value) not in (int, float):
        raise TypeError
    return float(value)


def decimal(value: Any) -> Decimal:
    """A decimal in plain notation: an exponent could make it as large as memory."""
    if not _DECIMAL.fullmatch(text(value)):
        raise ValueError
    return Decimal(value)


def day(value: Any) -> date:
    """A day."""
    return in_range(date.fromisoformat(text(value)))


def instant(value: Any) -> datetime:
    """A time, aware."""
    moment = datetime.fromisoformat(text(value))
    if moment.tzinfo is None:
        raise ValueError
    return in_range(moment.astimezone(UTC))


def uuid(value: Any) -> UUID:
    """A UUID."""
    return UUID(text(value))


def or_none(kind: Kind) -> Kind:
    """The kind that also takes null."""

    def read(value: Any) -> Any:
        if value is None:
            return None
        return kind(value)

    return read


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Any]], purpose: str) -> Page[Row]:
    """A page from up to `limit` + 1 rows; the extra row only shows that there is a next page. `key` returns the sort
    keys."""
    items = list(rows[:limit])
    next_cursor = None
    if len(rows) > limit:
        next_cursor = encode_cursor(key(items[-1]), purpose)
    return Page(items=items, next_cursor=next_cursor)


def parse_sort(sort: str, allowed: Collection[str]) -> tuple[str, bool]:
    """The key and whether it descends (`-nps`). Raises `Invalid` for a key that is not `allowed`."""
    key = sort.removeprefix("-")
    if key not in allowed:
        detail = f"must be one of {', '.join(sorted(allowed))}, with - before it to descend"
        raise Invalid("invalid_sort", detail, errors=[{"field": "sort", "code": "invalid_sort", "detail": detail}])
    return key, sort.startswith("-")


def _check(content: bytes) -> bytes:
    """A checksum, not a signature: a cursor grants no access that its caller lacks."""
    return hashlib.blake2b(content, digest_size=_CHECK_BYTES).digest()


def _tampered() -> Invalid:
    return Invalid(
        "invalid_cursor",
        "the cursor is not one that this list gave out",
        errors=[{"field": "cursor", "code": "invalid_cursor", "detail": "is not one that this list gave out"}],
    )


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"a cursor cannot hold {type(value).__name__}")
