"""Strict JSON accepts everything that can be stored, and parses it like the standard library."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRequest, Invalid
from shared.http.strict_json import MAX_DEPTH, loads, loads_items

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(value=JSON, ascii_only=st.booleans())
def test_what_can_be_stored_is_read(value: object, ascii_only: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(body=st.binary(max_size=60))
def test_whatever_comes_it_is_read_or_refused(body: bytes) -> None:
    with suppress(BadRequest, Invalid):
        assert loads(body) == json.loads(body)


def test_the_depth_is_counted_along_one_branch() -> None:
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
    assert len(loads(b"[" + b",".join([b"[]"] * 1000) + b"]")) == 1000
    with pytest.raises(Invalid, match="deeper"):
        loads(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_an_escaped_backslash_before_u_is_no_escape() -> None:
    assert loads(rb'{"a": "\\ud800", "b": "\\u0000", "c": "\ud83d\ude00"}') == {
        "a": "\\ud800",
        "b": "\\u0000",
        "c": "😀",
    }


FAULTY = {
    "lone_surrogate": '{"a": ["\\ud800"]}',
    "nul_character": '{"\\u0000": 1}',
    "duplicate_key": '{"b": [{"a": 1, "a": 2}]}',
    "number_out_of_range": '{"a": [1, 1e400]}',
    "too_deep": "[" * (MAX_DEPTH - 1) + "1" + "]" * (MAX_DEPTH - 1),
}


@pytest.mark.parametrize("code", FAULTY)
def test_a_faulty_item_costs_no_other(code: str) -> None:
    body = f'{{"items": [1, {FAULTY[code]}, {{"a": "\\ud83d\\ude00"}}]}}'.encode()
    with pytest.raises(Invalid) as refused:
        loads(body)
    assert refused.value.code == code
    first, faulty, last = loads_items(body)["items"]
    assert (first, last) == (1, {"a": "😀"})
    assert isinstance(faulty, Invalid)
    assert faulty.code == code


@pytest.mark.parametrize(
    "body",
    ['{"a": [], "a": []}', '{"a": 1e400}', '{"\\ud800": []}', '{"a": [], "b": "\\ud800"}', '[{"a": 1, "a": 2}]'],
)
def test_a_fault_around_the_items_is_refused_as_a_whole(body: str) -> None:
    with pytest.raises(Invalid):
        loads_items(body.encode())


@given(value=JSON)
def test_items_without_fault_are_read_as_ever(value: object) -> None:
    body = json.dumps(value).encode()
    with suppress(Invalid):
        assert loads_items(body) == loads(body)
