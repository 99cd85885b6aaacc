"""Responses read without their model are what the model reads, down to the row; what it refuses is never plain."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.collector.handlers.fast_parse import parse_one
from services.collector.handlers.responses import Sender
from services.scorer.consumer import PLAIN
from services.scorer.store.responses import row_of
from shared.errors import Poison
from shared.events.envelope import Event, decode
from shared.events.response_fast_reader import PlainResponse, plain_response
from shared.events.responses import ResponseRecorded
from shared.kafka.headers import unpack
from tests.support.events import NOW, recorded

WHOLE: dict[str, Any] = json.loads(recorded("r1", score=3, comment="Quick help", email="ann@acme.example").value())
HEADERS = recorded("r1").headers()


def alike(value: bytes) -> bool:
    """Whether the value is plain; then the model must have read the same, and made the same row and the same JSON."""
    plain = plain_response(value)
    if plain is None:
        return False
    model = ResponseRecorded.model_validate_json(value)
    assert plain.model_dump() == model.model_dump()
    assert [type(value) for value in plain.model_dump().values()] == [
        type(value) for value in model.model_dump().values()
    ]
    assert row_of(plain) == row_of(model)
    assert set(plain.sent) == set(model.sent) != set()
    assert model.model_fields_set == set(plain.model_dump())
    assert plain.answered_at.utcoffset() is not None
    assert ResponseRecorded.model_validate_json(plain.model_dump_json()) == model
    return True


def valid(value: bytes) -> bool:
    """Whether the model takes it."""
    try:
        ResponseRecorded.model_validate_json(value)
    except ValidationError:
        return False
    return True


def outcome(value: bytes, *readers: Any) -> tuple[Event, dict[str, Any]] | str:
    """What a consumer is given: the event and its data, or why it is poison."""
    try:
        event = decode(HEADERS, value, *readers)
    except Poison as error:
        return f"{error.code}: {error.detail}"
    return event, event.data.model_dump()


def same(value: bytes) -> None:
    """Both ways of reading end alike."""
    plain, model = outcome(value, PLAIN), outcome(value)
    if isinstance(plain, str) or isinstance(model, str):
        assert plain == model
    else:
        assert plain[1] == model[1]
        assert (plain[0].id, plain[0].name, plain[0].account_id) == (model[0].id, model[0].name, model[0].account_id)


def test_what_the_collector_writes_is_plain() -> None:
    body = {"account_id": "acme", "email": "Ann@acme.example", "survey_type": "ces", "score": 7, "comment": 'Zoë "\\'}
    [record] = parse_one(json.dumps(body).encode(), NOW, Sender("0123456789ab")).records
    assert alike(record.value or b"")
    assert isinstance(decode(unpack(record.headers), record.value or b"", PLAIN).data, PlainResponse)
    assert alike(recorded("r2", invitation_id="i", channel="web", quiet=True).value())


@pytest.mark.parametrize(
    "field",
    [
        {"score": "9"},
        {"score": True},
        {"sent": []},
        {"attributes": {"plan": "pro"}},
        {"answers": [{"question_id": "q", "type": "text", "value": "x"}]},
        {"later": "a field of a later minor version"},
        {"answered_at": 1_780_000_000},
        {"test": "yes"},
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_model(field: dict[str, Any]) -> None:
    value = json.dumps(WHOLE | field).encode()
    assert plain_response(value) is None
    assert valid(value)
    same(value)


def test_a_value_without_all_its_fields_is_left_to_the_model() -> None:
    for name in WHOLE:
        value = json.dumps({key: value for key, value in WHOLE.items() if key != name}).encode()
        assert plain_response(value) is None
        same(value)


@pytest.mark.parametrize(
    "field",
    [
        {"response_id": ""},
        {"account_id": "x" * 201},
        {"survey_id": ""},
        {"stakeholder_id": None},
        {"survey_type": "x"},
        {"channel": "post"},
        {"score": 9.5},
        {"score": None},
        {"answered_at": "2026-06-01T12:00:00"},
        {"answered_at": "2026-06-31T12:00:00Z"},
        {"recorded_at": "yesterday"},
        {"comment": "a\0b"},
        {"quiet": None},
    ],
)
def test_what_the_model_refuses_is_not_plain(field: dict[str, Any]) -> None:
    value = json.dumps(WHOLE | field).encode()
    if "comment" not in field:
        assert plain_response(value) is None
        assert not valid(value)
    same(value)
    assert isinstance(outcome(value, PLAIN), str)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        json.dumps(WHOLE).encode() + b"x",
        b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(),
        json.dumps(WHOLE).encode("utf-16"),
        json.dumps(WHOLE).encode().replace(b"Quick", b"\xff"),
        json.dumps(WHOLE).encode().replace(b"Quick", b"\xed\xa0\x80"),
        json.dumps(WHOLE).encode().replace(b"Quick", b"\\ud800"),
        json.dumps(WHOLE).encode().replace(b"Quick", b"a\nb"),
        json.dumps(WHOLE).encode().replace(b"Quick", b"a\\u0000"),
        json.dumps(WHOLE).encode().replace(b": 3", b": NaN"),
        json.dumps(WHOLE).encode().replace(b": 3", b": 03"),
    ],
)
def test_broken_json_is_poison_either_way(value: bytes) -> None:
    same(value)
    assert isinstance(outcome(value, PLAIN), str)


def moments() -> Iterator[str]:
    """Times as they are written here and there."""
    for fraction in ("", ".1", ".123456", ".1234567", ".999999999", "."):
        for zone in ("Z", "z", "+00:00", "-00:00", "+02:00", "-23:59", "+24:00", "+0200", "+02", " Z", ""):
            yield f"2026-05-01T08:00:59{fraction}{zone}"
    for text in ("2026-05-01 08:00:00Z", "2026-05-01t08:00:00Z", "2026-05-01T08:00Z", "2026-05-01T24:00:00Z"):
        yield text
    for text in ("2026-05-01T23:59:60Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "20260501T080000Z"):
        yield text
    yield from ("9999-12-31T23:59:59-01:00", "2026-05-01", "1777622400", "", "2026-05-01T08:00:00.123456789012Z")


@pytest.mark.parametrize("text", list(moments()))
def test_a_moment_is_the_one_that_the_model_reads(text: str) -> None:
    value = json.dumps(WHOLE | {"answered_at": text}).encode()
    alike(value)
    same(value)


TEXTS = st.text(max_size=12) | st.sampled_from(["acme", "a:b", "Zoë", " ", "\ud800", "a\0b", "x" * 200, "x" * 201])
NUMBERS = st.integers() | st.floats() | st.sampled_from([9, 9.0, 1e3, -0.0, 10**400, 2**63, 2**64])
ANYTHING = TEXTS | NUMBERS | st.none() | st.booleans() | st.sampled_from([[], {}, [None], {"a": {}}])
TIMES = st.datetimes(timezones=st.just(UTC) | st.timezones()).map(datetime.isoformat)
FIELDS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(WHOLE, ANYTHING)
    | {"sent": st.lists(TEXTS, max_size=3) | ANYTHING, "answered_at": TIMES | ANYTHING}
    | {"attributes": st.dictionaries(TEXTS, ANYTHING, max_size=2), "colour": ANYTHING},
)


@given(FIELDS, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :\n")]))
def test_any_value_is_read_as_the_model_reads_it(fields: Any, escaped: bool, separators: tuple[str, str]) -> None:
    text = json.dumps(WHOLE | fields, ensure_ascii=escaped, separators=separators)
    value = text.encode(errors="surrogatepass")
    alike(value)
    same(value)


@given(st.lists(st.tuples(st.sampled_from(list(WHOLE)), ANYTHING), max_size=4))
def test_of_a_key_that_stands_twice_the_same_one_counts(pairs: list[tuple[str, Any]]) -> None:
    text = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in [*WHOLE.items(), *pairs]) + "}"
    alike(text.encode())
    same(text.encode())


@given(st.integers(0, 600), st.integers(0, 255))
def test_any_byte_may_be_another(place: int, byte: int) -> None:
    value = bytearray(json.dumps(WHOLE).encode())
    value[place % len(value)] = byte
    alike(bytes(value))
    same(bytes(value))
