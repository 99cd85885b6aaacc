"""How long asks are kept, in months of the calendar."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.outreach.domain.retention import kept_since


@pytest.mark.parametrize(
    ("now", "months", "since"),
    [
        (datetime(2026, 12, 2, 17, 30, tzinfo=UTC), 36, datetime(2023, 12, 2, tzinfo=UTC)),
        (datetime(2026, 3, 31, 1, tzinfo=UTC), 13, datetime(2025, 2, 28, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 12, datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))), 12, datetime(2024, 12, 31, tzinfo=UTC)),
    ],
)
def test_asks_are_kept_from_the_beginning_of_a_day_on(now: datetime, months: int, since: datetime) -> None:
    assert kept_since(now, months) == since
