"""Values of cells, and cells that are refused rather than guessed."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.collector.domain.csv_values import (
    CellError,
    amount,
    day,
    flag,
    moment,
    strptime_format,
    whole_number,
    words,
)


@pytest.mark.parametrize(("cell", "number"), [("9", 9), ("10.0", 10), (" 7 ", 7), ("0", 0), ("0.00", 0), ("-1", -1)])
def test_a_whole_number_may_be_written_with_a_zero_behind_the_point(cell: str, number: int) -> None:
    assert whole_number(cell) == number


@pytest.mark.parametrize("cell", ["9,0", "9/10", "N/A", "９", "9.5", "1e1", "+9", "1_0", "", "nine", "9" * 40])
def test_any_other_number_is_refused(cell: str) -> None:
    with pytest.raises(CellError) as refused:
        whole_number(cell)
    assert refused.value.code == "not_a_whole_number"
    assert cell not in refused.value.hint or cell in ("", "9")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-03-31", datetime(2026, 3, 31, tzinfo=UTC)),
        ("2026-03-31T09:30:00Z", datetime(2026, 3, 31, 9, 30, tzinfo=UTC)),
        ("2026-03-31 09:30:00.25", datetime(2026, 3, 31, 9, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-03-31 09:30", datetime(2026, 3, 31, 9, 30, tzinfo=UTC)),
        ("2026-03-31T09:30:00+02:00", datetime(2026, 3, 31, 7, 30, tzinfo=UTC)),
    ],
)
def test_iso_dates_are_read_and_a_date_alone_is_midnight_utc(cell: str, expected: datetime) -> None:
    assert moment(cell, None) == expected


@pytest.mark.parametrize("cell", ["03/04/2026", "3.4.2026", "46112", "20260331", "1774915200", "2026-W14-2", "today"])
def test_a_date_that_could_be_read_in_two_ways_needs_a_format(cell: str) -> None:
    with pytest.raises(CellError) as refused:
        moment(cell, None)
    assert refused.value.code == "ambiguous_date"


@pytest.mark.parametrize("cell", ["2026-02-30", "2026-13-01", "2026-01-01 24:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_day_that_does_not_exist_is_refused(cell: str) -> None:
    with pytest.raises(CellError) as refused:
        moment(cell, None)
    assert refused.value.code == "not_a_date"


@pytest.mark.parametrize(
    ("named", "cell", "expected"),
    [
        ("DD/MM/YYYY", "03/04/2026", datetime(2026, 4, 3, tzinfo=UTC)),
        ("mm/dd/yyyy", "03/04/2026", datetime(2026, 3, 4, tzinfo=UTC)),
        ("d.m.yy", "3.4.26", datetime(2026, 4, 3, tzinfo=UTC)),
        ("DD.MM.YYYY HH:MM", "03.04.2026 17:05", datetime(2026, 4, 3, 17, 5, tzinfo=UTC)),
        ("dd/MM/yyyy hh:mm:ss", "03/04/2026 17:05:09", datetime(2026, 4, 3, 17, 5, 9, tzinfo=UTC)),
        ("YYYY-MM-DDTHH:MM", "2026-04-03T17:05", datetime(2026, 4, 3, 17, 5, tzinfo=UTC)),
        ("%m/%d/%y %I:%M %p", "04/03/26 05:05 PM", datetime(2026, 4, 3, 17, 5, tzinfo=UTC)),
        ("%d %b %Y %z", "03 Apr 2026 +0200", datetime(2026, 4, 2, 22, 0, tzinfo=UTC)),
    ],
)
def test_a_named_format_is_followed(named: str, cell: str, expected: datetime) -> None:
    assert moment(cell, strptime_format(named)) == expected


def test_with_a_named_format_nothing_else_is_read() -> None:
    with pytest.raises(CellError) as refused:
        moment("2026-04-03", strptime_format("DD/MM/YYYY"))
    assert refused.value.code == "not_a_date"


@pytest.mark.parametrize(
    "named", ["", "DD/MM", "YYYY", "MM/YYYY", "iso", "%d/%m/%Y %Q", "DD/MM/YYYY\x00", "DD/MM/YYYY" * 10, "%"]
)
def test_a_format_without_day_month_and_year_is_refused(named: str) -> None:
    with pytest.raises(ValueError, match="date_format"):
        strptime_format(named)


@pytest.mark.parametrize(
    "named", ["YYYYYYYY/MM/DD", "DD/DD/MM/YYYY", "DD/MM/YYYY HH:MM MM", "%d/%m/%Y %d", "%Y%Y-%m-%d", "%d %b %m %b %Y"]
)
def test_a_format_that_repeats_a_part_is_refused(named: str) -> None:
    """strptime raises an error for such a format."""
    with pytest.raises(ValueError, match="date_format"):
        strptime_format(named)


def test_a_day_is_read_like_a_moment() -> None:
    assert day("2026-12-31", None) == date(2026, 12, 31)
    assert day("31.12.2026", strptime_format("DD.MM.YYYY")) == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("cell", "expected"), [("Yes", True), ("y", True), ("1", True), ("no", False), ("FALSE", False)]
)
def test_yes_and_no_in_the_usual_spellings(cell: str, expected: bool) -> None:
    assert flag(cell) is expected


def test_a_flag_that_is_neither_is_refused() -> None:
    with pytest.raises(CellError):
        flag("maybe")


def test_amounts_have_no_separators() -> None:
    assert amount("120000.50") == Decimal("120000.50")
    for cell in ("120,000", "1e5", "12.34567", "EUR 5"):
        with pytest.raises(CellError):
            amount(cell)


def test_several_values_in_a_cell() -> None:
    assert words("cleaning; security|catering, ") == ["cleaning", "security", "catering"]
