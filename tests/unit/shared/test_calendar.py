"""Business time: due times in hours, days, holidays and time zones, also when the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar import (
    BusinessCalendar,
    Due,
    Holidays,
    parse_holidays,
    parse_hours,
    parse_weekdays,
)

BERLIN = ZoneInfo("Europe/Berlin")
BERLIN_OFFICE = BusinessCalendar(BERLIN)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago")


def berlin(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("friday", "monday"),
    [
        (berlin(2026, 6, 5, 17), berlin(2026, 6, 8, 12)),
        (berlin(2026, 3, 27, 17), berlin(2026, 3, 30, 12)),  # clocks go forward on that Sunday
        (berlin(2026, 10, 23, 17), berlin(2026, 10, 26, 12)),  # and back on that one
    ],
)
def test_four_business_hours_from_friday_17_are_due_monday_12_local(friday: datetime, monday: datetime) -> None:
    """Given a Friday 17:00 trigger with Mon-Fri 9-18 and 4 h, then due Monday 12:00 local, also across a change of
    clocks."""
    assert BERLIN_OFFICE.add(friday, Due(4, "business_hours")) == monday


def test_what_starts_out_of_hours_counts_from_the_next_opening() -> None:
    saturday = berlin(2026, 6, 6, 3)
    assert BERLIN_OFFICE.add(saturday, Due(4, "business_hours")) == berlin(2026, 6, 8, 13)
    assert BERLIN_OFFICE.add(saturday, Due(1, "business_days")) == berlin(2026, 6, 9, 9)
    before_opening = berlin(2026, 6, 8, 6, 30)
    assert BERLIN_OFFICE.add(before_opening, Due(1, "business_hours")) == berlin(2026, 6, 8, 10)


def test_a_business_day_is_the_same_time_of_day_on_the_next_business_day() -> None:
    assert BERLIN_OFFICE.add(berlin(2026, 6, 5, 16, 20), Due(1, "business_days")) == berlin(2026, 6, 8, 16, 20)
    assert BERLIN_OFFICE.add(berlin(2026, 3, 27, 16, 20), Due(2, "business_days")) == berlin(2026, 3, 31, 16, 20)


def test_a_sum_that_fills_the_day_is_due_at_its_closing() -> None:
    assert BERLIN_OFFICE.add(berlin(2026, 6, 8, 9), Due(9, "business_hours")) == berlin(2026, 6, 8, 18)


def test_holidays_are_left_out() -> None:
    calendar = BusinessCalendar(BERLIN, holidays=parse_holidays("2026-12-25, 2026-12-28").of("dach"))
    assert calendar.add(berlin(2026, 12, 24, 17), Due(4, "business_hours")) == berlin(2026, 12, 29, 12)
    assert not calendar.is_open(berlin(2026, 12, 25, 10))


def test_clocks_that_change_inside_business_hours_make_the_day_shorter_or_longer() -> None:
    always = BusinessCalendar(BERLIN, frozenset(range(7)), timedelta(0), timedelta(days=1))
    spring, autumn = berlin(2026, 3, 29, 0), berlin(2026, 10, 25, 0)
    assert always.add_time(spring, timedelta(hours=23)) == berlin(2026, 3, 30, 0)
    assert always.add_time(autumn, timedelta(hours=25)) == berlin(2026, 10, 26, 0)


def test_a_time_that_the_clocks_skip_still_gives_a_due_time_on_that_day() -> None:
    nights = BusinessCalendar(BERLIN, frozenset(range(7)), timedelta(0), timedelta(hours=5))
    due = nights.add(berlin(2026, 3, 28, 2, 30), Due(1, "business_days"))
    assert due.astimezone(BERLIN).date() == date(2026, 3, 29)


calendars = st.builds(
    lambda zone, days, opens, length, holidays: BusinessCalendar(
        ZoneInfo(zone),
        frozenset(days),
        timedelta(minutes=opens),
        timedelta(minutes=min(opens + length, 1440)),
        frozenset(holidays),
    ),
    st.sampled_from(ZONES),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1380),
    st.integers(60, 1440),
    st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5),
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
dues = st.one_of(
    st.builds(Due, st.integers(0, 60), st.just("business_hours")),
    st.builds(Due, st.integers(0, 20), st.just("business_days")),
)


@given(calendars, instants, dues)
def test_a_due_time_is_never_before_its_start_and_lies_in_business_hours(
    calendar: BusinessCalendar, start: datetime, due: Due
) -> None:
    at = calendar.add(start, due)
    assert at >= start
    if due.unit == "business_hours" and due.amount:
        assert calendar.is_open(at - timedelta(microseconds=1)), "due while people work, at the latest at closing"


@given(calendars, instants, st.integers(1, 60), st.integers(1, 60))
def test_business_time_adds_up(
    calendar: BusinessCalendar, start: datetime, first_hours: int, second_hours: int
) -> None:
    first, second = timedelta(hours=first_hours), timedelta(hours=second_hours)
    assert calendar.add_time(calendar.add_time(start, first), second) == calendar.add_time(start, first + second)


@given(calendars, instants, instants, dues)
def test_who_starts_later_is_never_due_earlier(
    calendar: BusinessCalendar, first: datetime, second: datetime, due: Due
) -> None:
    # Where the clocks change, an hour of the wall may exist twice or not at all: days may swap by that much.
    tolerance = timedelta(hours=1) if due.unit == "business_days" else timedelta(0)
    assert calendar.add(min(first, second), due) <= calendar.add(max(first, second), due) + tolerance


@given(calendars, instants)
def test_the_next_opening_is_open_and_nothing_between_is(calendar: BusinessCalendar, at: datetime) -> None:
    opening = calendar.next_open(at)
    assert opening >= at
    assert calendar.is_open(opening)
    if opening > at:
        assert not calendar.is_open(at)
        assert not calendar.is_open(opening - timedelta(microseconds=1))


def test_settings_are_read_as_people_write_them() -> None:
    assert parse_hours("9:00 - 17:30") == (timedelta(hours=9), timedelta(hours=17, minutes=30))
    assert parse_weekdays("sun-thu") == frozenset({6, 0, 1, 2, 3})
    assert parse_weekdays("mon,wed") == frozenset({0, 2})
    assert parse_holidays("") == Holidays()


def test_a_holiday_is_of_everywhere_or_of_a_region() -> None:
    holidays = parse_holidays("2026-12-25, DACH:2026-10-03")
    assert holidays.of(None) == {date(2026, 12, 25)}
    assert holidays.of("dach") == {date(2026, 12, 25), date(2026, 10, 3)}
    assert holidays.of("Nordics") == {date(2026, 12, 25)}


@pytest.mark.parametrize("text", ["9-17", "09:00", "09:75-18:00", "", "nine to five"])
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hours|minutes"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["", "monday", "mon-", "mon-xyz"])
def test_days_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="business days"):
        parse_weekdays(text)


def test_a_calendar_without_business_time_is_refused() -> None:
    with pytest.raises(ValueError, match="open before"):
        BusinessCalendar(BERLIN, opens=timedelta(hours=18), closes=timedelta(hours=9))
    with pytest.raises(ValueError, match="at least one"):
        BusinessCalendar(BERLIN, frozenset())
    year = frozenset(date(2026, 1, 1) + timedelta(days=day) for day in range(800))
    with pytest.raises(ValueError, match="no business day"):
        BusinessCalendar(BERLIN, holidays=year).next_open(berlin(2026, 1, 5, 10))
