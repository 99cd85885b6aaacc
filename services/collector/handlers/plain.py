"""Plain responses: from JSON to the record for Kafka at the price of a few microseconds, for the hot path.

What a response is, `inputs.responses` says. This is the part of it in which nothing needs to be mended or worded: no
null, no nested field, ids and texts in their one form already. pydantic-core parses and checks that in one go. Whatever
does not fit is `NotPlain` and goes to the model, so this may take less than the model does, but never more, and never
makes another event of it: a test holds the two against each other.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, get_args
from unicodedata import is_normalized

from orjson import dumps
from pydantic_core import PydanticCustomError, SchemaValidator, ValidationError, core_schema

from services.collector.handlers.inputs.fields import AHEAD, moment
from services.collector.handlers.responses import SOURCE
from shared.clock import rfc3339
from shared.events.envelope import Event, headers_from, type_of
from shared.events.responses import SCALES, Channel, NpsKind, SurveyType
from shared.ids import uuid7s
from shared.records import OutRecord
from shared.topics import RESPONSE_RECORDED, RESPONSES

MAX_ITEMS = 1_000
Item = dict[str, Any]
Derived = Callable[[int | None], str]
"""The response_id of an item by its position in the batch, None for a response posted alone."""


_TYPE = type_of(RESPONSE_RECORDED)


class NotPlain(Exception):
    """This needs the whole model."""


class Taken(NamedTuple):
    """Responses of one post on their way, and what is answered about them. `event_id` is that of the first."""

    records: list[OutRecord]
    response_ids: list[str]
    event_id: str
    recorded_at: str

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Taken":
        """The same from events that were made by the model."""
        records = [OutRecord.of(RESPONSES, event) for event in events]
        response_ids = [getattr(event.data, "response_id", "") for event in events]
        return cls(records, response_ids, str(events[0].id), rfc3339(events[0].time))


# Rust's \s and Python's strip() mean the same characters, but for four that are control characters.
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_ID = core_schema.str_schema(
    strict=True, max_length=200, pattern=rf"^[^./\\\s{_CONTROL}](?:[^/\\{_CONTROL}]*[^/\\\s{_CONTROL}])?$"
)
_EMAIL = core_schema.str_schema(
    strict=True, max_length=200, pattern=rf"^[^@./\\\s{_CONTROL}][^@/\\\s{_CONTROL}]*@[^@/\\\s{_CONTROL}]+$"
)


def _line(maximum: int) -> core_schema.StringSchema:
    pattern = rf"^[^\s{_CONTROL}](?:[^{_CONTROL}]*[^\s{_CONTROL}])?$"
    return core_schema.str_schema(strict=True, max_length=maximum, pattern=pattern)


def _one_of(literal: Any) -> core_schema.LiteralSchema:
    return core_schema.literal_schema(list(get_args(literal)))


_REQUIRED: dict[str, core_schema.CoreSchema] = {
    "account_id": _ID,
    "survey_type": _one_of(SurveyType),
    "score": core_schema.int_schema(strict=True, ge=0, le=10),
}
_OPTIONAL: dict[str, core_schema.CoreSchema] = {
    "response_id": _ID,
    "email": _EMAIL,
    "stakeholder_id": _ID,
    "comment": core_schema.str_schema(strict=True, max_length=10_000, pattern=r"^[^\x00]*$"),
    "answered_at": core_schema.str_schema(strict=True, max_length=35),
    "nps_kind": _one_of(NpsKind),
    "touchpoint": _line(200),
    "product": _line(200),
    "channel": _one_of(Channel),
    "survey_id": _ID,
    "invitation_id": _ID,
    "language": _line(35),
    "follow_up_requested": core_schema.bool_schema(strict=True),
    "test": core_schema.bool_schema(strict=True),
}
_RESPONSE = core_schema.typed_dict_schema(
    {name: core_schema.typed_dict_field(schema, required=True) for name, schema in _REQUIRED.items()}
    | {name: core_schema.typed_dict_field(schema, required=False) for name, schema in _OPTIONAL.items()},
    extra_behavior="forbid",
)
_BATCH = core_schema.typed_dict_schema(
    {
        "responses": core_schema.typed_dict_field(
            core_schema.list_schema(_RESPONSE, min_length=1, max_length=MAX_ITEMS), required=True
        )
    },
    extra_behavior="forbid",
)
_read_one = SchemaValidator(_RESPONSE).validate_json
_read_many = SchemaValidator(_BATCH).validate_json


def take_one(body: bytes, now: datetime, derived: Derived | None) -> Taken:
    """A response as it was posted, taken at `now`. Raises `NotPlain`."""
    item: Item = _read(_read_one, body)
    _check(body, [item])
    if "response_id" not in item:
        item["response_id"] = derived(None) if derived else uuid7s(1)[0]
    return _taken([item], now)


def take_many(body: bytes, now: datetime, derived: Derived | None) -> Taken:
    """The responses of a batch, `{"responses": [...]}`. Raises `NotPlain` if one of them is not plain."""
    items: list[Item] = _read(_read_many, body)["responses"]
    _check(body, items, keys_around=1)
    for index, item in enumerate(items):
        if "response_id" not in item:
            item["response_id"] = derived(index) if derived else uuid7s(1)[0]
    return _taken(items, now)


def _read(read: Callable[[bytes], Any], body: bytes) -> Any:
    try:
        return read(body)
    except ValidationError:
        raise NotPlain from None


def _check(body: bytes, items: Sequence[Item], keys_around: int = 0) -> None:
    """Raise `NotPlain` for a key that stands twice, of which the parser keeps the last, and for texts not in NFC.

    Every key brings one colon, and no known key holds one. So there are as many as keys, and as colons within texts,
    unless a key was dropped. That no colon is written as an escape is made sure of.
    """
    expected = keys_around + sum(map(len, items))
    has_escapes = b"\\u" in body
    if has_escapes or body.count(b":") != expected:
        texts = [value for item in items for value in item.values() if isinstance(value, str)]
        if b"\\u003" in body or body.count(b":") != expected + sum(text.count(":") for text in texts):
            raise NotPlain
    if has_escapes or not body.isascii():
        texts = [value for item in items for value in item.values() if isinstance(value, str)]
        if not all(is_normalized("NFC", text) for text in texts):
            raise NotPlain


def _taken(items: Sequence[Item], now: datetime) -> Taken:
    recorded_at, event_ids = rfc3339(now), uuid7s(len(items))
    headers = headers_from(event_ids, _TYPE, SOURCE, recorded_at)
    records = [
        OutRecord(RESPONSES, item["account_id"], item["account_id"].encode(), _value(item, now, recorded_at), own)
        for item, own in zip(items, headers, strict=True)
    ]
    return Taken(records, [item["response_id"] for item in items], event_ids[0], recorded_at)


def _value(item: Item, now: datetime, recorded_at: str) -> bytes:
    """What the record of a response says; `recorded_at` is `now` as text."""
    get = item.get
    survey_type, score, comment, touchpoint = item["survey_type"], item["score"], get("comment"), get("touchpoint")
    low, high = SCALES[survey_type]
    if not low <= score <= high or (comment is not None and comment != comment.strip()):
        raise NotPlain
    email = get("email")
    if email is not None:
        email = email.lower()
    # In the order of ResponseRecorded, so that both ways write the same bytes.
    value = {
        "response_id": item["response_id"],
        "account_id": item["account_id"],
        "stakeholder_id": get("stakeholder_id") or email or _nobody(),
        "email": email,
        "survey_type": survey_type,
        "score": score,
        "comment": comment or None,
        "answered_at": _answered_at(item["answered_at"], now) if "answered_at" in item else recorded_at,
        "recorded_at": recorded_at,
        "nps_kind": get("nps_kind") or ("transactional" if touchpoint else "relationship"),
        "touchpoint": touchpoint,
        "product": get("product"),
        "channel": get("channel"),
        "survey_id": get("survey_id"),
        "invitation_id": get("invitation_id"),
        "language": get("language"),
        "follow_up_requested": get("follow_up_requested", False),
        "answers": (),
        "attributes": {},
        "test": get("test", False),
        "sent": _sent(tuple(item)),
        "quiet": False,
    }
    return dumps(value)


def _nobody() -> str:
    raise NotPlain


def _answered_at(text: str, now: datetime) -> str:
    try:
        answered = moment(text)
    except PydanticCustomError:
        raise NotPlain from None
    if answered > now + AHEAD:
        raise NotPlain
    return rfc3339(answered)


@lru_cache(maxsize=1_000)
def _sent(names: tuple[str, ...]) -> tuple[str, ...]:
    """The fields that the client itself sent; few clients, few answers."""
    return tuple(sorted(name for name in names if name != "response_id"))
