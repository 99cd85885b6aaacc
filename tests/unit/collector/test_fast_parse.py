"""Plain responses give exactly the event that the model makes, and a body that the model refuses is never plain."""

import json
import sys
from datetime import UTC, datetime
from typing import Any
from unicodedata import category
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import ValidationError

from services.collector.handlers import responses
from services.collector.handlers.fast_parse import MAX_ITEMS, NotPlain, ParsedPost, drops_a_key, parse_many, parse_one
from services.collector.handlers.inputs.responses import NewResponse
from services.collector.handlers.responses import Sender
from shared.errors import TellbackError
from shared.http import strict_json
from shared.ids import uuid7s
from shared.kafka.headers import unpack
from shared.records import Record

NOW = datetime(2026, 6, 1, 12, 0, 0, 120_000, tzinfo=UTC)
SENDER = Sender("tttttttttttt", "the same each time")
GOOD: dict[str, Any] = {
    "response_id": "r1",
    "account_id": "acme",
    "stakeholder_id": "ann",
    "survey_type": "nps",
    "score": 9,
}
FULL = GOOD | {
    "email": "Ann.Lee@acme.example",
    "comment": 'Late: "twice"\n\\ and Ünïcode 😀',
    "answered_at": "2026-05-01T08:00:00.123456+02:00",
    "nps_kind": "project",
    "touchpoint": "delivery",
    "product": "a/b",
    "channel": "email",
    "survey_id": "s",
    "invitation_id": "i",
    "language": "en",
    "follow_up_requested": True,
    "test": False,
}


def by_model(value: Any) -> Record | None:
    """The record that the model makes; None where the model refuses the body."""
    try:
        body = NewResponse.model_validate(value)
        return ParsedPost.of([responses.recorded(body, NOW, response_id=SENDER.response_id())], SENDER).records[0]
    except (ValidationError, TellbackError):
        return None


def plain(body: bytes) -> Record | None:
    """The record of the fast parser; None where the body is not plain."""
    try:
        return parse_one(body, NOW, SENDER).records[0]
    except NotPlain:
        return None


def strictly(body: bytes) -> Any:
    """The body parsed as strict JSON; None where that refuses it, as every model then does."""
    try:
        return strict_json.loads(body)
    except TellbackError:
        return None


def alike(body: bytes) -> bool:
    """Whether the body was plain; asserts that parser and model then make the same record."""
    short = plain(body)
    if short is None:
        return False
    whole = by_model(strictly(body))
    assert whole is not None
    assert replace(short, headers=b"") == replace(whole, headers=b"")
    both = [unpack(record.headers) for record in (short, whole)]
    assert [(name, raw) for name, raw in both[0] if name != "ce_id"] == [
        (name, raw) for name, raw in both[1] if name != "ce_id"
    ]
    assert [name for name, _ in both[0]] == [name for name, _ in both[1]]
    return True


@pytest.mark.parametrize("escaped", [True, False])
def test_the_same_event_from_the_smallest_and_from_the_fullest(escaped: bool) -> None:
    for value in (GOOD, FULL, GOOD | {"survey_type": "ces", "score": 7}):
        assert alike(json.dumps(value, ensure_ascii=escaped, indent=1).encode())
        assert alike(json.dumps(value | {"comment": ""}, ensure_ascii=escaped).encode())
    nobody = {name: value for name, value in FULL.items() if name not in ("response_id", "stakeholder_id")}
    assert alike(json.dumps(nobody, ensure_ascii=escaped).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        json.dumps(GOOD).encode("utf-16"),
        b'{"account_id":"a","account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1}',
        b'{"account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1,"score":1}',
        b'{"account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1,"comment":"x","comment":"\\u003a"}',
        b'{"account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1,"comment" :"x","comment" :"x:"}',
        b'{"account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1,"comment":"\xff"}',
        b'{"account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1,"comment":"\xed\xa0\x80"}',
        b'{"account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1,"comment":"a\nb"}',
        b'{"account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1}x',
        b'{"account_id":"a","stakeholder_id":"b","survey_type":"nps","score":1,}',
    ],
)
def test_what_the_strict_reader_refuses_is_not_plain(body: bytes) -> None:
    assert plain(body) is None
    assert by_model(strictly(body)) is None


@pytest.mark.parametrize(
    "field",
    [
        {"score": 11},
        {"score": -1},
        {"score": True},
        {"score": "9"},
        {"score": 9.0},
        {"score": 10**30},
        {"survey_type": "csat", "score": 0},
        {"survey_type": "csat", "score": 6},
        {"survey_type": "ces", "score": 8},
        {"colour": "red"},
        {"comment": "x" * 10_001},
        {"comment": "a\0b"},
        {"comment": "\ud800"},
        {"account_id": ""},
        {"account_id": " "},
        {"account_id": "a/b"},
        {"account_id": "x" * 201},
        {"answered_at": "2026-06-01T12:05:01Z"},
        {"answered_at": "2026-05-01"},
        {"answered_at": "1999-12-31T23:59:59Z"},
        {"stakeholder_id": None},
        {"stakeholder_id": None, "email": "nobody"},
        {"test": 1},
        {"answers": [{}]},
    ],
)
def test_what_the_model_refuses_is_not_plain(field: dict[str, Any]) -> None:
    body = json.dumps(GOOD | field).encode()
    assert plain(body) is None
    assert by_model(strictly(body)) is None


def test_what_needs_mending_is_left_to_the_model() -> None:
    for field in ({"account_id": " acme"}, {"comment": "e\u0301"}, {"attributes": {"a": 1}}, {"product": None}):
        body = json.dumps(GOOD | field).encode()
        assert plain(body) is None
        assert by_model(strictly(body)) is not None


def test_every_character_is_taken_as_the_model_takes_it() -> None:
    """In an id, a label and a comment; first, in the middle and last."""
    for letter in map(chr, range(sys.maxunicode + 1)):
        if not (letter.isspace() or category(letter) in ("Cc", "Cf") or ord(letter) < 0x180):
            continue
        for text in (letter, f"{letter}x", f"x{letter}x", f"x{letter}"):
            for field in ("account_id", "touchpoint", "comment"):
                alike(json.dumps(GOOD | {field: text}, ensure_ascii=False).encode())


TEXTS = st.text(max_size=12) | st.sampled_from(
    ["acme", "a:b", "..", ".a", "ann@acme.example", "İ@x", "9", "Zoë", "a b"]
)
FIELDS = st.fixed_dictionaries(
    {
        "account_id": TEXTS,
        "survey_type": st.sampled_from(["nps", "csat", "ces", "x"]),
        "score": st.integers(-1, 11) | st.sampled_from([True, "9", 9.0, None]),
    },
    optional={
        name: TEXTS for name in ("response_id", "stakeholder_id", "comment", "touchpoint", "survey_id", "language")
    }
    | {
        "email": st.emails() | TEXTS,
        "answered_at": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | TEXTS,
        "channel": st.sampled_from(["email", "web", "x"]),
        "test": st.sampled_from([True, False, None, 0]),
        "colour": TEXTS,
    },
)


@given(FIELDS, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")]))
def test_any_body_is_taken_as_the_model_takes_it(value: Any, escaped: bool, separators: tuple[str, str]) -> None:
    try:
        alike(json.dumps(value, ensure_ascii=escaped, separators=separators).encode())
    except UnicodeEncodeError:
        return  # a lone surrogate cannot be encoded in UTF-8, but it can be escaped


NAMES = st.sampled_from(["account_id", "survey_type", "score", "comment", "touchpoint", "colour", "a:b"])
VALUES = st.sampled_from(["x", "a:b", "::", "\u00fc:", ":\u0394", 1])


@given(st.lists(st.lists(st.tuples(NAMES, VALUES), max_size=6), max_size=3), st.booleans())
def test_a_key_that_the_parser_drops_is_found(objects: list[list[tuple[str, Any]]], escaped: bool) -> None:
    """However many texts hold colons of their own."""

    def text(value: Any) -> str:
        return json.dumps(value, ensure_ascii=escaped)

    parts = ["{" + ",".join(f"{text(name)}: {text(value)}" for name, value in pairs) + "}" for pairs in objects]
    known = {"account_id", "survey_type", "score", "comment", "touchpoint"}
    items: Any = [{name: value for name, value in pairs if name in known} for pairs in objects]
    dropped = any(len(pairs) != len(item) for pairs, item in zip(objects, items, strict=True))
    assert drops_a_key(f'{{"responses": [{",".join(parts)}]}}'.encode(), items, keys_around=1) is dropped


def test_a_colon_that_may_be_written_as_an_escape_counts_as_a_dropped_key() -> None:
    item: Any = {"comment": "a:b"}
    assert not drops_a_key(b'{"comment": "a:b"}', [item])
    assert drops_a_key(b'{"comment": "a\\u003Ab"}', [item])
    assert drops_a_key(b'{"comment": "a\\u003ab", "comment": "a:b"}', [item])


@given(st.lists(st.tuples(st.sampled_from(list(FULL)), st.sampled_from(["a", "a:", "b", 1])), max_size=8))
def test_no_key_counts_twice(pairs: list[tuple[str, Any]]) -> None:
    body = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in [*GOOD.items(), *pairs]) + "}"
    taken = plain(body.encode())
    assert taken is None or len({name for name, _ in pairs} - GOOD.keys()) == len(pairs)


def test_a_batch_is_as_many_single_ones() -> None:
    items = [GOOD | {"response_id": f"r{number}", "comment": "a:b" * number} for number in range(MAX_ITEMS)]
    taken = parse_many(json.dumps({"responses": items}).encode(), NOW, SENDER)
    assert [record.value for record in taken.records] == [
        parse_one(json.dumps(item).encode(), NOW, SENDER).records[0].value for item in items
    ]
    event_ids = [dict(unpack(record.headers))["ce_id"].decode() for record in taken.records]
    assert event_ids[0] == taken.event_id
    assert len(set(map(UUID, event_ids))) == MAX_ITEMS


@pytest.mark.parametrize("items", [[], [GOOD] * (MAX_ITEMS + 1), [GOOD, 1], [GOOD, GOOD | {"score": 11}], {}])
def test_a_batch_of_other_things_is_not_plain(items: Any) -> None:
    with pytest.raises(NotPlain):
        parse_many(json.dumps({"responses": items}).encode(), NOW, SENDER)
    with pytest.raises(NotPlain):
        parse_many(json.dumps({"responses": [GOOD], "more": items}).encode(), NOW, SENDER)


@pytest.mark.parametrize("deep", [b"[" * 50_000, b'{"a":' * 9_000 + b"1" + b"}" * 9_000])
def test_what_nests_deeper_than_the_stack_is_not_plain(deep: bytes) -> None:
    for body in (deep, b'{"attributes":' + deep, b'{"responses":[' + deep):
        with pytest.raises(NotPlain):
            parse_one(body, NOW, SENDER)
        with pytest.raises(NotPlain):
            parse_many(body, NOW, SENDER)


def test_ids_are_derived_by_position_where_the_client_sends_none() -> None:
    item = {name: value for name, value in GOOD.items() if name != "response_id"}
    assert parse_one(json.dumps(item).encode(), NOW, SENDER).response_ids == [SENDER.response_id()]
    taken = parse_many(json.dumps({"responses": [item, GOOD, item]}).encode(), NOW, SENDER)
    assert taken.response_ids == [SENDER.response_id(0), "r1", SENDER.response_id(2)]


def test_whoever_sends_is_named_in_the_headers_and_nowhere_else() -> None:
    item = json.dumps(GOOD).encode()
    for sender in (SENDER, Sender("0123456789ab")):
        record = parse_one(item, NOW, sender).records[0]
        assert dict(unpack(record.headers))["ce_sender"] == sender.key_id.encode()
        assert sender.key_id.encode() not in (record.value or b"")


def test_many_ids_are_of_version_seven() -> None:
    found = [UUID(text) for text in uuid7s(500)]
    assert len(set(found)) == 500
    assert {(found_id.version, found_id.variant) for found_id in found} == {(7, "specified in RFC 4122")}
