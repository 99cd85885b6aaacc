"""Field types of all inputs: text in one canonical form, integers that are integers, times with an offset."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints
from pydantic_core import PydanticCustomError

from shared.ids import canonical_id, require_stakeholder_id
from shared.settings import known_zone

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=5)
"""How far a client's clock may run ahead of ours."""
MAX_ATTRIBUTES = 50
_LARGEST_NUMBER = 2**53
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


class Input(BaseModel):
    """Base of all inputs: unknown fields are refused by name, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _normal(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("invalid_text", "must be valid Unicode") from None
    if "\x00" in value:
        raise PydanticCustomError("invalid_text", "must not hold NUL")
    return unicodedata.normalize("NFC", value).strip()


def _one_line(value: str, maximum: int = 200) -> str:
    value = _normal(value)
    if _CONTROL.search(value):
        raise PydanticCustomError("invalid_text", "must not hold control characters")
    if not 1 <= len(value) <= maximum:
        raise PydanticCustomError("invalid_length", "must have 1 to {maximum} characters", {"maximum": maximum})
    return value


def _identifier(value: str) -> str:
    return _checked(canonical_id, value)


def _person(value: str) -> str:
    return _checked(require_stakeholder_id, value)


def _checked(canonical: Callable[[str], str], value: str) -> str:
    try:
        return canonical(value)
    except ValueError as error:
        raise PydanticCustomError("invalid_id", "{reason}", {"reason": str(error)}) from None


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise PydanticCustomError("invalid_email", "must be an e-mail address")
    return value


def _zone(value: str) -> str:
    try:
        return known_zone(value)
    except ValueError as error:
        raise PydanticCustomError("invalid_time_zone", "{reason}", {"reason": str(error)}) from None


def long_text(value: str) -> str:
    """Text of several lines, NFC and trimmed, at most 10,000 characters."""
    value = _normal(value)
    if len(value) > 10_000:
        raise PydanticCustomError("too_long", "must have at most 10,000 characters")
    return value


def moment(value: Any) -> datetime:
    """A time of an answer or event in UTC, from RFC 3339 with an offset or from an aware datetime.

    Raises `PydanticCustomError` for any other form and for times before 2000.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        time = value
    elif isinstance(value, str) and _TIME.fullmatch(value):
        try:
            time = datetime.fromisoformat(value.upper())
        except ValueError:
            raise PydanticCustomError("invalid_time", "there is no such time") from None
    else:
        raise PydanticCustomError("invalid_time", "must be an RFC 3339 time with an offset")
    # Compared before the conversion, which fails for years 1 and 9999.
    if time < EARLIEST:
        raise PydanticCustomError("out_of_range", "must be 2000-01-01 or later")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("out_of_range", "must be at most 5 minutes ahead") from None


def _attribute_value(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        value = _normal(value)
        if len(value) > 1_000:
            raise PydanticCustomError("too_long", "must have at most 1,000 characters")
        return value
    # The comparison is false for NaN, too.
    if isinstance(value, int | float) and abs(value) <= _LARGEST_NUMBER:
        return value
    raise PydanticCustomError("invalid_attribute", "must be text, a number within 2^53, true, false or null")


def _flat(value: Any) -> Any:
    if not isinstance(value, dict):
        raise PydanticCustomError("invalid_type", "must be an object")
    if len(value) > MAX_ATTRIBUTES:
        raise PydanticCustomError("too_long", "has at most 50 attributes")
    # Checked here, so that an error names the field `attributes` and not a name that the client chose.
    return {_one_line(name): _attribute_value(inner) for name, inner in value.items()}


# A text with a maximum of its own is a named type below.
def _line(maximum: int) -> Any:
    # The bound before normalising is generous, since composing can only shorten.
    return (Strict(), StringConstraints(max_length=4 * maximum), AfterValidator(partial(_one_line, maximum=maximum)))


StrictInt = Annotated[int, Strict()]
StrictBool = Annotated[bool, Strict()]
Id = Annotated[
    str, Strict(), StringConstraints(max_length=1_000), AfterValidator(_identifier), Field(examples=["acme"])
]
StakeholderId = Annotated[
    str,
    Strict(),
    StringConstraints(max_length=1_000),
    AfterValidator(_person),
    Field(examples=["ann.lee@acme.example"]),
]
Label = Annotated[str, *_line(200)]
Language = Annotated[str, *_line(35)]
TimeZone = Annotated[
    str, *_line(64), AfterValidator(_zone), Field(description="A name of the IANA database.", examples=["Europe/Paris"])
]
Email = Annotated[str, *_line(200), AfterValidator(_email), Field(examples=["ann.lee@acme.example"])]
Comment = Annotated[str, Strict(), StringConstraints(max_length=40_000), AfterValidator(long_text)]
Moment = Annotated[
    datetime, BeforeValidator(moment), Field(examples=["2026-03-31T09:30:00Z"], description="RFC 3339, with an offset")
]
Attributes = Annotated[
    dict[str, str | int | float | bool | None],
    BeforeValidator(_flat),
    Field(description="Flat, at most 50, values of at most 1,000 characters", examples=[{"plan": "pro"}]),
]
