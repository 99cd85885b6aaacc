"""A fast parser for plain responses: from JSON to the record for Kafka in a few microseconds, for the hot path.

What a response is, `inputs.responses` defines. A response is plain if nothing has to be normalised or explained: no
null, no nested field, ids and texts in canonical form. msgspec parses such a response and checks types, lengths and
choices in one pass. Any other is `NotPlain` and goes to the model, so this parser may accept fewer responses than the
model, but never more, and never makes another event: a test compares the two.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Annotated, Any, NamedTuple, Required, TypedDict
from unicodedata import is_normalized

from msgspec import DecodeError, Meta, Struct
from msgspec.json import Decoder, Encoder
from pydantic_core import PydanticCustomError

from services.collector.handlers.inputs.fields import AHEAD, moment
from services.collector.handlers.publishing import MAX_EVENT_BYTES
from services.collector.handlers.responses import SOURCE, Sender
from shared.clock import rfc3339
from shared.events.envelope import Event, headers_of, type_of
from shared.events.responses import SCALES, Channel, NpsKind, ResponseRecorded, SurveyType
from shared.identity import canonical_stakeholder_id
from shared.ids import uuid7s
from shared.kafka.headers import pack
from shared.records import Record
from shared.topics import RESPONSE_RECORDED, RESPONSES

MAX_ITEMS = 1_000


class NotPlain(Exception):
    """Only the model can parse this."""


_UNREADABLE = (DecodeError, UnicodeDecodeError, RecursionError)
"""Errors of the parser; RecursionError for JSON that nests deeper than Python's stack."""


class ParsedPost(NamedTuple):
    """The responses of one post as records, and the data for its answer. `event_id` is that of the first."""

    records: list[Record]
    response_ids: list[str]
    event_id: str
    recorded_at: str

    @classmethod
    def of(cls, events: Sequence[Event], sender: Sender) -> "ParsedPost":
        """A post whose events the model has made. Raises `NotPlain` for an event that is too large."""
        records = [Record.of(RESPONSES, event.by(sender.key_id)) for event in events]
        _check_sizes(records)
        response_ids = [getattr(event.data, "response_id", "") for event in events]
        return cls(records, response_ids, str(events[0].id), rfc3339(events[0].time))


_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class Item(TypedDict, total=False):
    """A response as it was posted. Rules of texts beyond their length are checked where the texts are used."""

    response_id: _Text
    account_id: Required[_Text]
    email: _Text
    stakeholder_id: _Text
    survey_type: Required[SurveyType]
    score: Required[Annotated[int, Meta(ge=0, le=10)]]
    comment: Annotated[str, Meta(max_length=10_000)]
    answered_at: Annotated[str, Meta(max_length=35)]
    nps_kind: NpsKind
    touchpoint: _Text
    product: _Text
    channel: Channel
    survey_id: _Text
    invitation_id: _Text
    language: Annotated[str, Meta(min_length=1, max_length=35)]
    follow_up_requested: bool
    test: bool


class _Batch(Struct):
    responses: Annotated[list[Item], Meta(min_length=1, max_length=MAX_ITEMS)]


_read_one = Decoder(Item).decode
_read_many = Decoder(_Batch).decode
_write = Encoder().encode
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_IDS = itemgetter("response_id", "account_id", "stakeholder_id", "survey_id", "invitation_id")
_LABELS = itemgetter("touchpoint", "product", "language")
_are_ids = re.compile(rf"(?:[^./\\\s{_CONTROL}][^/\\{_CONTROL}]*+(?<!\s)/)*+").fullmatch
_is_email = re.compile(rf"[^@./\\\s{_CONTROL}][^@/\\\s{_CONTROL}]*@[^@/\\\s{_CONTROL}]+").fullmatch
_is_label = re.compile(rf"[^\s{_CONTROL}][^{_CONTROL}]*+(?<!\s)").fullmatch


def parse_one(body: bytes, now: datetime, sender: Sender) -> ParsedPost:
    """A single posted response, accepted at `now`. Raises `NotPlain`."""
    try:
        item = _read_one(body)
    except _UNREADABLE:
        raise NotPlain from None
    _check(body, [item])
    if "response_id" not in item:
        item["response_id"] = sender.response_id() or uuid7s(1)[0]
    return _taken([item], now, sender)


def parse_many(body: bytes, now: datetime, sender: Sender) -> ParsedPost:
    """The responses of a batch, `{"responses": [...]}`. Raises `NotPlain` if one of them is not plain."""
    try:
        items = _read_many(body).responses
    except _UNREADABLE:
        raise NotPlain from None
    _check(body, items, keys_around=1)
    for index, item in enumerate(items):
        if "response_id" not in item:
            item["response_id"] = sender.response_id(index) or uuid7s(1)[0]
    return _taken(items, now, sender)


def _check(body: bytes, items: Sequence[Item], keys_around: int = 0) -> None:
    """Raise `NotPlain` where the parser dropped a key, and for texts not in NFC or with NUL."""
    if drops_a_key(body, items, keys_around):
        raise NotPlain
    if (_has_escapes(body) or not body.isascii()) and not all(map(_is_kept, _texts(items))):
        raise NotPlain


def drops_a_key(body: bytes, items: Sequence[Item], keys_around: int = 0) -> bool:
    """Whether msgspec silently dropped a key when it made these items of a body: an unknown key, or one that appears
    twice in an object. `keys_around` are the keys outside of the items.

    Each key brings one colon, and no known key contains one. So a body has as many colons as there are keys, plus those
    within texts, unless a key was dropped. If a text may contain a colon written as an escape (\\u003a), they cannot be
    counted, and the result is True.
    """
    keys = keys_around + sum(map(len, items))
    colons = body.count(b":")
    if colons == keys and not _has_escapes(body):
        return False
    in_texts = sum(text.count(":") for text in _texts(items))
    return colons != keys + in_texts or b"\\u003" in body


def _has_escapes(body: bytes) -> bool:
    return b"\\" in body and b"\\u" in body  # searching one byte is much faster than two


def _texts(items: Sequence[Item]) -> list[str]:
    return [value for item in items for value in item.values() if isinstance(value, str)]


def _is_kept(text: str) -> bool:
    return is_normalized("NFC", text) and "\0" not in text


def _taken(items: Sequence[Item], now: datetime, sender: Sender) -> ParsedPost:
    recorded_at, event_ids = rfc3339(now), uuid7s(len(items))
    defaults = _DEFAULTS | {"answered_at": recorded_at, "recorded_at": recorded_at}
    values = [_value(item, defaults, now) for item in items]
    _check_texts(values)
    before, between, after = _around(len(recorded_at), sender.key_id)
    after = between + recorded_at.encode() + after
    records: list[Record] = [
        Record(
            RESPONSES,
            value["account_id"],
            value["account_id"].encode(),
            _write(value),
            b"".join((before, event_id.encode(), after)),
        )
        for value, event_id in zip(values, event_ids, strict=True)
    ]
    _check_sizes(records)
    return ParsedPost(records, [value["response_id"] for value in values], event_ids[0], recorded_at)


# In the order of ResponseRecorded, so that parser and model write the same bytes.
_DEFAULTS: dict[str, Any] = dict.fromkeys(ResponseRecorded.model_fields) | {
    "nps_kind": "relationship",
    "follow_up_requested": False,
    "answers": (),
    "attributes": {},
    "test": False,
    "quiet": False,
}


def _value(item: Item, defaults: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The data of a response's event. Ids and labels are checked later, all at once."""
    value = defaults | item
    low, high = SCALES[item["survey_type"]]
    if not low <= item["score"] <= high:
        raise NotPlain
    if "comment" in item:
        value["comment"] = _trimmed(item["comment"]) or None
    if "email" in item:
        value["email"] = email = _address(item["email"])
        value["stakeholder_id"] = item.get("stakeholder_id", email)
    elif "stakeholder_id" not in item:
        raise NotPlain
    _check_person(value["stakeholder_id"])
    if "answered_at" in item:
        value["answered_at"] = _answered_at(item["answered_at"], now)
    if "touchpoint" in item and "nps_kind" not in item:
        value["nps_kind"] = "transactional"
    value["sent"] = _sent(tuple(item))
    return value


def _trimmed(comment: str) -> str:
    if comment != comment.strip():
        raise NotPlain
    return comment


def _check_person(stakeholder_id: Any) -> None:
    """Raise `NotPlain` for an address that is not in canonical form; most ids are no addresses."""
    if "@" in stakeholder_id and stakeholder_id != canonical_stakeholder_id(stakeholder_id):
        raise NotPlain


def _address(email: str) -> str:
    if not _is_email(email):
        raise NotPlain
    lowered = email.lower()
    if not is_normalized("NFC", lowered):
        raise NotPlain
    return lowered


def _check_texts(values: Sequence[dict[str, Any]]) -> None:
    """Raise `NotPlain` for an id or a label that is not canonical. All ids are checked in one pass, joined by a
    character that no id may contain."""
    ids = list(filter(None, chain.from_iterable(map(_IDS, values))))
    together = "/".join(ids) + "/"
    if together.count("/") != len(ids) or not _are_ids(together):
        raise NotPlain
    labels = filter(None, chain.from_iterable(map(_LABELS, values)))
    if not all(map(_is_label, labels)):
        raise NotPlain


def _check_sizes(records: Sequence[Record]) -> None:
    """Raise `NotPlain` for a record that is too large."""
    if max([len(record.value or b"") for record in records]) > MAX_EVENT_BYTES:
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
    """The fields that the client itself sent; cached, since clients send few combinations."""
    return tuple(sorted(name for name in names if name != "response_id"))


@lru_cache(maxsize=1_000)
def _around(time_length: int, sender: str) -> tuple[bytes, bytes, bytes]:
    """The constant parts of an event's headers: before, between and after the id and the time."""
    event_id, time = "?" * 36, "!" * time_length  # placeholders that occur in no other header
    headers = pack(headers_of(event_id, type_of(RESPONSE_RECORDED), SOURCE, time, sender))
    before, from_time = headers.split(event_id.encode())
    between, after = from_time.split(time.encode())
    return before, between, after
