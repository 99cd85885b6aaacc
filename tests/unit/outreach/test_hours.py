"""When a mail may go: the recipient's zone, days, hours and holidays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.hours import Zones, calendar_of, closed_at, moment_in_week, week_of
from shared.api.programmes import Hours
from shared.calendar import Holidays, parse_holidays

BERLIN, AUCKLAND = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland")
HOURS = Hours()
NONE = Holidays()
MONDAY = date(2026, 6, 8)


def test_the_zone_is_the_persons_then_the_accounts_then_the_regions_then_the_suppliers() -> None:
    zones = Zones(BERLIN, {"apac": AUCKLAND})
    assert zones.of("America/Lima", "Europe/Oslo", "apac").key == "America/Lima"
    assert zones.of(None, "Europe/Oslo", "apac").key == "Europe/Oslo"
    assert zones.of(None, None, "APAC") == AUCKLAND
    assert zones.of(None, None, "emea") == BERLIN
    assert zones.of("Mars/Olympus", None, None) == BERLIN, "never UTC because a name is unknown"


@pytest.mark.parametrize(
    ("local", "reason", "until"),
    [
        ((2026, 6, 8, 10), "outside_hours", (2026, 6, 9, 9)),
        ((2026, 6, 9, 8, 59), "outside_hours", (2026, 6, 9, 9)),
        ((2026, 6, 9, 9), None, None),
        ((2026, 6, 11, 15, 59), None, None),
        ((2026, 6, 11, 16), "outside_hours", (2026, 6, 16, 9)),
        ((2026, 6, 12, 10), "outside_hours", (2026, 6, 16, 9)),
        ((2026, 6, 10, 10), "holiday", (2026, 6, 11, 9)),
    ],
)
def test_mails_go_from_tuesday_to_thursday_from_nine_to_four(
    local: tuple[int, ...], reason: str | None, until: tuple[int, ...] | None
) -> None:
    calendar = calendar_of(HOURS, BERLIN, parse_holidays("dach:2026-06-10"), "DACH")
    found = closed_at(calendar, datetime(*local, tzinfo=BERLIN))  # type: ignore[misc,arg-type]
    if until is None:
        assert found is None
        return
    assert found is not None
    assert (found.reason, found.until.astimezone(BERLIN)) == (reason, datetime(*until, tzinfo=BERLIN))  # type: ignore[misc,arg-type]


def test_a_holiday_of_another_region_is_a_day_like_others() -> None:
    calendar = calendar_of(HOURS, BERLIN, parse_holidays("dach:2026-06-10"), "nordics")
    assert closed_at(calendar, datetime(2026, 6, 10, 10, tzinfo=BERLIN)) is None


@given(
    weeks=st.integers(0, 200),
    who=st.text(min_size=1, max_size=20),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_everybody_is_asked_in_hours_on_tuesday_or_wednesday_of_the_week(weeks: int, who: str, zone: str) -> None:
    calendar = calendar_of(HOURS, ZoneInfo(zone), NONE, None)
    monday = MONDAY + timedelta(weeks=weeks)
    at = moment_in_week(monday, who, HOURS, calendar)
    assert at == moment_in_week(monday, who, HOURS, calendar)
    assert at.tzinfo is UTC
    assert calendar.is_open(at)
    assert at.astimezone(calendar.zone).weekday() in HOURS.first_days
    assert week_of(at, calendar.zone) == monday


def test_asks_are_spread_over_the_morning() -> None:
    calendar = calendar_of(HOURS, BERLIN, NONE, None)
    moments = {moment_in_week(MONDAY, f"person {number}", HOURS, calendar) for number in range(1000)}
    assert len(moments) > 350, "there are 2 days of 210 minutes"


def test_thursday_serves_where_the_first_days_are_holidays_and_the_next_week_where_all_are() -> None:
    two = calendar_of(HOURS, BERLIN, parse_holidays("2026-06-09,2026-06-10"), None)
    assert moment_in_week(MONDAY, "ann", HOURS, two).astimezone(BERLIN).date() == date(2026, 6, 11)
    three = calendar_of(HOURS, BERLIN, parse_holidays("2026-06-09,2026-06-10,2026-06-11"), None)
    assert moment_in_week(MONDAY, "ann", HOURS, three).astimezone(BERLIN) == datetime(2026, 6, 16, 9, tzinfo=BERLIN)
