"""Dates as exports write them; what could be read in two ways is asked for."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.domain.csv_values import CellError
from services.collector.domain.dates import MONTHS, PLAIN, DateReading, day, moment, strptime_format


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def refusal(cell: str, reading: DateReading = PLAIN) -> str:
    with pytest.raises(CellError) as refused:
        moment(cell, reading)
    return refused.value.code


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-03-31T09:30:00Z", utc(2026, 3, 31, 9, 30)),
        ("2026-03-31 09:30:00.25", utc(2026, 3, 31, 9, 30, 0, 250_000)),
        ("2026-03-31 09:30", utc(2026, 3, 31, 9, 30)),
        ("2026-03-31T09:30:00+02:00", utc(2026, 3, 31, 7, 30)),
        ("2026-10-05T10:00:00.000+0000", utc(2026, 10, 5, 10)),
        ("2026-10-05 10:00:00 UTC", utc(2026, 10, 5, 10)),
        ("2026-10-05 10:00:00 -0700", utc(2026, 10, 5, 17)),
        ("2026/10/05 11:58:10 PM GMT+2", utc(2026, 10, 5, 21, 58, 10)),
        ("2026-10-05 12:05 am", utc(2026, 10, 5, 0, 5)),
        ("2026-10-05 12:05 p.m.", utc(2026, 10, 5, 12, 5)),
        ("5. Oktober 2026", utc(2026, 10, 5, 12)),
        ("Mo, 5. Okt. 2026 um 14:30", utc(2026, 10, 5, 14, 30)),
        ("1er août 2026 14:30", utc(2026, 8, 1, 14, 30)),
        ("lundi 5 octobre 2026", utc(2026, 10, 5, 12)),
        ("5 de octubre de 2026", utc(2026, 10, 5, 12)),
        ("Oct 5, 2026, 3:04 PM", utc(2026, 10, 5, 15, 4)),
        ("Monday, October 5th, 2026 at 3:04:05 PM", utc(2026, 10, 5, 15, 4, 5)),
        ("5-Oct-2026 15:04", utc(2026, 10, 5, 15, 4)),
        ("46300", utc(2026, 10, 5, 12)),
        ("46300.75", utc(2026, 10, 5, 18)),
        ("1791194400", utc(2026, 10, 5, 10)),
        ("1791194400000", utc(2026, 10, 5, 10)),
        ("1791194400250", utc(2026, 10, 5, 10, 0, 0, 250_000)),
    ],
)
def test_the_dates_of_common_exports_are_read_without_help(cell: str, expected: datetime) -> None:
    assert moment(cell, PLAIN).moment == expected


@pytest.mark.parametrize(
    "cell",
    ["03/04/2026", "3.4.2026", "13/04/2026", "20260331", "2026-W14-2", "today", "36525", "73051", "4630",
     "2026-10-05 10:00 CST", "5 Brumaire 2026", "October 2026", "May 5", "12", "12345678901"],
)  # fmt: skip
def test_a_date_that_could_be_read_in_two_ways_needs_a_format(cell: str) -> None:
    assert refusal(cell) == "ambiguous_date"


@pytest.mark.parametrize(
    "cell",
    ["2026-02-30", "2026-13-01", "2026-01-01 24:00:00", "0001-01-01T00:00:00+14:00", "2026-10-05 13:00 PM",
     "2026-10-05 0:30 AM", "31 June 2026", "2026-10-05 10:00 +1500", "2026-10-05 10:60"],
)  # fmt: skip
def test_a_time_that_does_not_exist_is_refused(cell: str) -> None:
    assert refusal(cell) == "not_a_date"


def test_a_day_without_a_time_is_noon_in_the_zone_of_the_file() -> None:
    berlin = DateReading(zone="Europe/Berlin")
    assert moment("2026-10-05", berlin).moment == utc(2026, 10, 5, 10)
    assert moment("46300", berlin).moment == utc(2026, 10, 5, 10)
    assert moment("05/10/2026", DateReading("%d/%m/%Y", "Europe/Berlin")).moment == utc(2026, 10, 5, 10)


def test_local_times_are_those_of_the_zone_of_the_file_and_offsets_stay() -> None:
    zone = DateReading(zone="America/New_York")
    assert moment("2026-10-05 10:00", zone).moment == utc(2026, 10, 5, 14)
    assert moment("2026-10-05 10:00 UTC", zone).moment == utc(2026, 10, 5, 10)
    assert moment("1791194400", zone).moment == utc(2026, 10, 5, 10)


def test_hours_that_the_clocks_leave_out_or_show_twice_are_told() -> None:
    berlin = DateReading(zone="Europe/Berlin")
    gap, twice, plain = (moment(f"2026-{at}", berlin) for at in ("03-29 02:30", "10-25 02:30", "10-25 03:30"))
    assert (gap.moment, gap.said) == (utc(2026, 3, 29, 1, 30), "local_time_gap")
    assert (twice.moment, twice.said) == (utc(2026, 10, 25, 0, 30), "local_time_twice")
    assert (plain.moment, plain.said) == (utc(2026, 10, 25, 2, 30), "")


@given(
    at=st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001 - clocks of no zone
    minutes=st.integers(-14 * 60, 14 * 60),
    style=st.sampled_from(["%Y-%m-%dT%H:%M:%S{}", "%Y/%m/%d %I:%M:%S %p GMT{}", "%d %B %Y %H:%M:%S {}",
                           "%A, %b %d, %Y %H:%M:%S {}"]),
)  # fmt: skip
def test_what_is_written_in_a_known_form_is_read_as_it_was(at: datetime, minutes: int, style: str) -> None:
    hours, rest = divmod(abs(minutes), 60)
    sign = "+"
    if minutes < 0:
        sign = "-"
    text = at.strftime(style).format(f"{sign}{hours:02}:{rest:02}")
    expected = at.replace(microsecond=0, tzinfo=UTC) - timedelta(minutes=minutes)
    assert moment(text, PLAIN).moment == expected


def test_every_month_has_its_names_in_four_languages() -> None:
    for names in ("January Januar janvier enero", "May Mai mai mayo", "December Dezember décembre diciembre"):
        assert len({MONTHS[name.casefold()] for name in names.split()}) == 1


@pytest.mark.parametrize(
    ("named", "cell", "expected"),
    [
        ("DD/MM/YYYY", "03/04/2026", utc(2026, 4, 3, 12)),
        ("mm/dd/yyyy", "03/04/2026", utc(2026, 3, 4, 12)),
        ("d.m.yy", "3.4.26", utc(2026, 4, 3, 12)),
        ("DD.MM.YYYY HH:MM", "03.04.2026 17:05", utc(2026, 4, 3, 17, 5)),
        ("dd/MM/yyyy hh:mm:ss", "03/04/2026 17:05:09", utc(2026, 4, 3, 17, 5, 9)),
        ("MM/DD/YYYY HH:MM AM/PM", "04/03/2026 05:05 PM", utc(2026, 4, 3, 17, 5)),
        ("m/d/yyyy h:mm tt", "4/3/2026 5:05 PM", utc(2026, 4, 3, 17, 5)),
        ("YYYY-MM-DDTHH:MM", "2026-04-03T17:05", utc(2026, 4, 3, 17, 5)),
        ("%m/%d/%y %I:%M %p", "04/03/26 05:05 PM", utc(2026, 4, 3, 17, 5)),
        ("%d %b %Y %z", "03 Apr 2026 +0200", utc(2026, 4, 2, 22)),
    ],
)
def test_a_named_format_is_followed(named: str, cell: str, expected: datetime) -> None:
    assert moment(cell, DateReading(strptime_format(named))).moment == expected


def test_with_a_named_format_nothing_else_is_read() -> None:
    for cell in ("2026-04-03", "46300", "1791194400"):
        assert refusal(cell, DateReading(strptime_format("DD/MM/YYYY"))) == "not_a_date"


@pytest.mark.parametrize(
    "named", ["", "DD/MM", "YYYY", "MM/YYYY", "iso", "%d/%m/%Y %Q", "DD/MM/YYYY\x00", "DD/MM/YYYY" * 10, "%"]
)
def test_a_format_with_unknown_parts_or_without_day_month_and_year_is_refused(named: str) -> None:
    with pytest.raises(ValueError, match="date_format"):
        strptime_format(named)


@pytest.mark.parametrize(
    "named", ["YYYYYYYY/MM/DD", "DD/DD/MM/YYYY", "DD/MM/YYYY HH:MM MM", "%d/%m/%Y %d", "%Y%Y-%m-%d", "%d %b %m %b %Y"]
)
def test_a_format_that_repeats_a_part_is_refused(named: str) -> None:
    """strptime raises an error for such a format."""
    with pytest.raises(ValueError, match="date_format"):
        strptime_format(named)


def test_a_day_is_no_serial_and_has_no_zone() -> None:
    assert day("2026-12-31", PLAIN) == date(2026, 12, 31)
    assert day("Dec 31, 2026", DateReading(zone="Pacific/Auckland")) == date(2026, 12, 31)
    assert day("31.12.2026", DateReading(strptime_format("DD.MM.YYYY"))) == date(2026, 12, 31)
    for cell in ("46300", "1791194400"):
        with pytest.raises(CellError):
            day(cell, PLAIN)
