"""Parameter types that several services use."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.clock import NOT_AHEAD, is_ahead
from shared.errors import Invalid
from shared.ids import canonical_id, require_stakeholder_id

# A plus that a client forgot to escape arrives as a space.
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?)([Zz]|[+ -]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MAX_SEARCH_LENGTH = 200
EARLIEST_YEAR, LATEST_YEAR = 1900, 9900
"""Between these a time may be moved by a window or a zone and is still one. The first and the last that there are would
become PostgreSQL's infinities, with which nobody can reckon."""
D = TypeVar("D", date, datetime)


def in_range(value: D) -> D:
    """The day or time, if its year is in the accepted range. Raises PydanticCustomError, which is a ValueError."""
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        raise PydanticCustomError("invalid_time", f"must lie between the years {EARLIEST_YEAR} and {LATEST_YEAR}")
    return value


def _instant(value: Any) -> datetime:
    """Aware times in RFC 3339 only: a bare number might be seconds or milliseconds, and a date alone has no time."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return in_range(_in_utc(value))
    match = None
    if isinstance(value, str):
        match = _RFC3339.fullmatch(value)
    if match is None:
        raise PydanticCustomError("invalid_time", "must be an RFC 3339 time with an offset: 2026-03-01T09:00:00Z")
    local_time, offset = match[1].upper(), match[2].upper().replace(" ", "+")
    try:
        moment = datetime.fromisoformat(local_time + offset)
    except ValueError:
        raise _no_such_time() from None
    return in_range(_in_utc(moment))


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _no_such_time() from None


def _no_such_time() -> PydanticCustomError:
    return PydanticCustomError("invalid_time", "there is no such time")


def _day(value: Any) -> date:
    """Days in ISO 8601 only, no numbers of seconds since 1970."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("invalid_date", "must be a day such as 2026-12-31")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("invalid_date", "there is no such day") from None
    return in_range(day)


def require_ahead(field: str, moment: datetime, now: datetime) -> None:
    """Raises `Invalid` for a deadline that has passed, or that lies too far ahead."""
    if not is_ahead(moment, now):
        code = f"invalid_{field}"
        raise Invalid(code, NOT_AHEAD, errors=[{"field": field, "code": code, "detail": NOT_AHEAD}])


def _path_id(value: str) -> str:
    return _checked(canonical_id, value)


def _path_person(value: str) -> str:
    return _checked(require_stakeholder_id, value)


def _checked(canonical: Callable[[str], str], value: str) -> str:
    try:
        return canonical(value)
    except ValueError as error:
        raise PydanticCustomError("invalid_id", "{reason}", {"reason": str(error)}) from None


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    Field(description="RFC 3339, with an offset.", examples=["2026-03-01T09:00:00Z"]),
]
"""A time in a query or a body; UTC inside, microseconds kept."""
Day = Annotated[date, BeforeValidator(_day), Field(description="A day.", examples=["2026-12-31"])]
"""A day in a query or a body."""
PathId = Annotated[str, AfterValidator(_path_id), Field(max_length=1000, examples=["acme"])]
"""An id in a path or query, in canonical form."""
StakeholderPathId = Annotated[str, AfterValidator(_path_person), Field(max_length=1000, examples=["ada@acme.example"])]
"""A stakeholder's id in a path or query, in canonical form."""
Search = Annotated[str, Field(min_length=1, max_length=MAX_SEARCH_LENGTH, description="Words to look for.")]
"""`q=`: the search text; the store escapes its wildcards."""
