"""Lists: cursors come back as they went out or not at all."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.http.paging import decode_cursor, encode_cursor, page_of, parse_sort, read_cursor

VALUES = st.lists(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), max_size=5)


@given(values=VALUES, purpose=st.text(max_size=60))
def test_a_cursor_gives_its_values_back(values: list[object], purpose: str) -> None:
    assert decode_cursor(encode_cursor(values, purpose), purpose) == values


@given(values=VALUES, position=st.integers(min_value=0), letter=st.sampled_from("ABab01-_"))
def test_an_altered_cursor_is_refused(values: list[object], position: int, letter: str) -> None:
    cursor = encode_cursor(values)
    at = position % (len(cursor) - 1)  # the last letter may hold bits that mean nothing
    altered = cursor[:at] + letter + cursor[at + 1 :]
    if altered != cursor:
        with pytest.raises(Invalid):
            decode_cursor(altered)


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "a" * 500, "é", "W10", "AAAA====", "\ud800"])
def test_made_up_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode_cursor(cursor)
    assert caught.value.code == "invalid_cursor"


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(Invalid):
        decode_cursor(encode_cursor([1], "accounts by name"), "accounts by nps")


def test_times_and_decimals_travel_as_text() -> None:
    at = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
    cursor = encode_cursor([at, Decimal("1.50")], "x")
    assert read_cursor(cursor, "x", datetime.fromisoformat, Decimal) == [at, Decimal("1.50")]


@pytest.mark.parametrize("values", [["no time", "no id"], [1, 2], [None, None], ["2026-03-01T09:00:00+00:00"]])
def test_values_of_another_kind_are_refused(values: list[object]) -> None:
    with pytest.raises(Invalid):
        read_cursor(encode_cursor(values), "", datetime.fromisoformat, UUID)


def test_the_row_too_many_tells_that_there_is_more() -> None:
    first = page_of([1, 2, 3], 2, lambda row: [row])
    assert first.items == [1, 2]
    assert first.next_cursor is not None
    assert decode_cursor(first.next_cursor) == [2]
    last = page_of([3], 2, lambda row: [row])
    assert (last.items, last.next_cursor) == ([3], None)


def test_a_sort_key_may_descend() -> None:
    assert parse_sort("name", ["name", "nps"]) == ("name", False)
    assert parse_sort("-nps", ["name", "nps"]) == ("nps", True)
    for bad in ("", "-", "--nps", "revenue", "nps;drop table"):
        with pytest.raises(Invalid) as caught:
            parse_sort(bad, ["name", "nps"])
        assert "drop" not in caught.value.detail
