"""Times and days in requests: only those that can be calculated with."""

from datetime import UTC, date, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.http.params import Day, Instant

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
DAY: TypeAdapter[date] = TypeAdapter(Day)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1900-01-01T00:00:00Z", datetime(1900, 1, 1, tzinfo=UTC)),
        ("9900-12-31T23:59:59Z", datetime(9900, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-03-01 09:00:00 01:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01t09:00:00.5z", datetime(2026, 3, 1, 9, microsecond=500_000, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_it_is_meant(text: str, moment: datetime) -> None:
    assert INSTANT.validate_python(text) == moment


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1899-12-31T23:59:59Z",
        "1900-01-01T00:00:00+01:00",
        "9901-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-14:00",
        "2026-03-01T09:00:00+99:99",
        "２０２６-03-01T09:00:00Z",
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_a_time_beyond_all_reckoning_is_refused(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        INSTANT.validate_python(value)
    assert caught.value.errors()[0]["type"] == "invalid_time"


def test_a_day_is_read_as_it_is_meant() -> None:
    assert DAY.validate_python("2026-12-31") == date(2026, 12, 31)


@pytest.mark.parametrize("value", ["0001-01-01", "1899-12-31", "9999-12-31", "2026-02-30", "20261231", "86400", 9, ""])
def test_a_day_beyond_all_reckoning_is_refused(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        DAY.validate_python(value)
    assert caught.value.errors()[0]["type"] in ("invalid_date", "invalid_time")
