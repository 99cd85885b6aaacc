"""Lists: cursors are accepted unchanged or not at all."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.http import paging
from shared.http.paging import Kind, _check, encode_cursor, page_of, parse_sort, read_cursor
from shared.http.params import in_range
from tests.support.strange_values import CURSOR_CONTENTS, CURSOR_VALUES

AT = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
ID = UUID("01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978")
STORED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
KINDS: dict[Kind, tuple[type, ...]] = {
    paging.text: (str,),
    paging.integer: (int,),
    paging.number: (float,),
    paging.decimal: (Decimal,),
    paging.day: (date,),
    paging.instant: (datetime,),
    paging.uuid: (UUID,),
    paging.or_none(paging.text): (str, type(None)),
}


@given(name=STORED, ids=st.lists(STORED, min_size=2, max_size=2), count=st.integers(-(2**31), 2**31 - 1))
def test_a_cursor_gives_its_values_back_and_fits_its_parameter(name: str, ids: list[str], count: int) -> None:
    cursor = encode_cursor([name, *ids, count], "accounts -name")
    kinds = paging.text, paging.text, paging.text, paging.integer
    assert read_cursor(cursor, "accounts -name", *kinds) == [name, *ids, count]
    assert len(cursor) <= paging.MAX_CURSOR_LENGTH


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (paging.number, 0.5),
        (paging.decimal, Decimal("1.50")),
        (paging.decimal, Decimal("1E+3")),
        (paging.day, date(2026, 3, 1)),
        (paging.instant, AT),
        (paging.or_none(paging.number), None),
        (paging.or_none(paging.number), 2.0),
    ],
)
def test_every_kind_comes_back_as_it_went_out(kind: Kind, value: object) -> None:
    assert read_cursor(encode_cursor([value], "x"), "x", kind) == [value]


def test_an_id_travels_as_text() -> None:
    assert read_cursor(encode_cursor([str(ID)], "x"), "x", paging.uuid) == [ID]


@given(values=st.lists(STORED, max_size=3), position=st.integers(min_value=0), letter=st.sampled_from("ABab01-_"))
def test_an_altered_cursor_is_refused(values: list[str], position: int, letter: str) -> None:
    cursor = encode_cursor(values, "")
    at = position % (len(cursor) - 1)  # the last letter may hold unused bits
    altered = cursor[:at] + letter + cursor[at + 1 :]
    if altered != cursor:
        assert refused(altered, "", *[paging.text] * len(values))


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "a" * 500, "é", "W10", "AAAA====", "\ud800"])
def test_made_up_cursors_are_refused(cursor: str) -> None:
    assert refused(cursor, "")


def test_a_cursor_of_another_list_is_refused() -> None:
    assert refused(encode_cursor([1], "accounts by name"), "accounts by nps", paging.integer)


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_value_is_of_its_kind_or_refused(kind: Kind) -> None:
    taken = 0
    for value in CURSOR_VALUES:
        cursor = sealed(json.dumps(["x", value]).encode())
        if not refused(cursor, "x", kind):
            taken += 1
            assert_storable(read_cursor(cursor, "x", kind)[0], KINDS[kind])
    assert 0 < taken < len(CURSOR_VALUES)


def assert_storable(value: Any, types: tuple[type, ...]) -> None:
    """The value is of one of these types, and PostgreSQL can store and compare it."""
    assert isinstance(value, types)
    if isinstance(value, date):
        assert in_range(value) == value
    if isinstance(value, datetime):
        assert value.tzinfo is UTC
    if isinstance(value, str):
        assert "\0" not in value
        assert value.encode().decode() == value


def test_forged_content_of_another_form_is_refused() -> None:
    for content in CURSOR_CONTENTS:
        assert refused(sealed(content), "x", paging.text)
        assert content == b'""' or refused(sealed(b'["x",%s]' % content), "x", paging.text)


@pytest.mark.parametrize("values", [[], [AT], [AT, str(ID), 1]])
def test_a_value_more_or_less_is_refused(values: Sequence[object]) -> None:
    assert refused(encode_cursor(values, "x"), "x", paging.instant, paging.uuid)


def refused(cursor: str, purpose: str, *kinds: Kind) -> bool:
    """Whether the cursor is refused as invalid; any other error is raised."""
    try:
        read_cursor(cursor, purpose, *kinds)
    except Invalid as error:
        return error.code == "invalid_cursor"
    return False


def sealed(content: bytes) -> str:
    """A cursor with this content and a correct checksum."""
    return base64.urlsafe_b64encode(_check(content) + content).rstrip(b"=").decode()


def test_the_row_too_many_tells_that_there_is_more() -> None:
    first = page_of([1, 2, 3], 2, lambda row: [row], "numbers")
    assert first.items == [1, 2]
    assert first.next_cursor is not None
    assert read_cursor(first.next_cursor, "numbers", paging.integer) == [2]
    last = page_of([3], 2, lambda row: [row], "numbers")
    assert (last.items, last.next_cursor) == ([3], None)


def test_a_sort_key_may_descend() -> None:
    assert parse_sort("name", ["name", "nps"]) == ("name", False)
    assert parse_sort("-nps", ["name", "nps"]) == ("nps", True)
    for bad in ("", "-", "--nps", "revenue", "nps;drop table"):
        with pytest.raises(Invalid) as caught:
            parse_sort(bad, ["name", "nps"])
        assert "drop" not in caught.value.detail
