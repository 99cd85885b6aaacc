"""Kinds of parameters that several services take."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.ids import canonical_id

# A plus that a client forgot to escape arrives as a space.
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?)([Zz]|[+ -]\d\d:\d\d)")
MAX_SEARCH_LENGTH = 200


def _instant(value: Any) -> datetime:
    """Aware times in RFC 3339 only: a number of seconds might be milliseconds, a date alone has no time."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("invalid_time", "must be an RFC 3339 time with an offset: 2026-03-01T09:00:00Z")
    moment, offset = match[1].upper(), match[2].upper().replace(" ", "+")
    try:
        return datetime.fromisoformat(moment + offset).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("invalid_time", "there is no such time") from None


def _path_id(value: str) -> str:
    try:
        return canonical_id(value)
    except ValueError as error:
        raise PydanticCustomError("invalid_id", "{reason}", {"reason": str(error)}) from None


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    Field(description="RFC 3339, with an offset.", examples=["2026-03-01T09:00:00Z"]),
]
"""A time in a query or a body; UTC inside, microseconds kept."""
PathId = Annotated[str, AfterValidator(_path_id), Field(max_length=1000, examples=["acme"])]
"""An id in a path or query, made canonical."""
Search = Annotated[str, Field(min_length=1, max_length=MAX_SEARCH_LENGTH, description="Words to look for.")]
"""`q=`: what the caller searches for; the store escapes its wildcards."""
