"""When owners see a wave, and which asks are of it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.outreach.domain.occasions import monday_of, once_occasion
from services.outreach.domain.waves import latest_of, monday_until, office, shown_from
from shared.api.programmes import Once

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 6, 22)


@pytest.mark.parametrize(
    ("holidays", "shown"),
    [
        ((), datetime(2026, 6, 15, 7, tzinfo=UTC)),
        ((date(2026, 6, 17),), datetime(2026, 6, 12, 7, tzinfo=UTC)),
        ((date(2026, 6, 15), date(2026, 6, 17)), datetime(2026, 6, 11, 7, tzinfo=UTC)),
    ],
)
def test_owners_see_a_wave_five_working_days_before(holidays: tuple[date, ...], shown: datetime) -> None:
    assert shown_from(MONDAY, office(BERLIN, frozenset(holidays))) == shown


def test_the_clock_of_the_supplier_counts_in_winter_too() -> None:
    assert shown_from(date(2026, 12, 14), office(BERLIN, frozenset())) == datetime(2026, 12, 7, 8, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 6, 22), date(2026, 6, 28), date(2026, 12, 31)])
def test_the_end_of_an_ask_says_its_wave(day: date) -> None:
    occasion = once_occasion(Once(on=day))
    assert occasion.latest_at == latest_of(monday_of(day))
    assert monday_until(occasion.latest_at) == monday_of(day)
