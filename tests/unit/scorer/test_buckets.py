"""The points of a trend lie on the calendar in UTC."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.domain.buckets import Interval, buckets

MICROSECOND = timedelta(microseconds=1)
AS_OF = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds it)


@pytest.mark.parametrize(
    ("interval", "starts"),
    [
        ("week", ["2025-12-22", "2025-12-29", "2026-01-05"]),
        ("month", ["2025-11-01", "2025-12-01", "2026-01-01"]),
        ("quarter", ["2025-07-01", "2025-10-01", "2026-01-01"]),
    ],
)
def test_points_around_a_new_year(interval: Interval, starts: list[str]) -> None:
    as_of = datetime(2026, 1, 7, 15, tzinfo=UTC)
    found = buckets(interval, 3, as_of)
    assert [bucket.start.date().isoformat() for bucket in found] == starts
    assert found[-1].as_of == as_of
    assert found[0].as_of == found[0].end == found[1].start - MICROSECOND


@given(st.sampled_from(get_args(Interval)), st.integers(1, 30), AS_OF)
def test_buckets_follow_each_other_without_a_gap(interval: Interval, points: int, as_of: datetime) -> None:
    found = buckets(interval, points, as_of)
    assert len(found) == points
    assert found[-1].start <= as_of <= found[-1].end
    for earlier, later in pairwise(found):
        assert earlier.end + MICROSECOND == later.start
        assert earlier.as_of == earlier.end
    if interval == "week":
        assert all(bucket.start.isoweekday() == 1 for bucket in found)
    else:
        assert all(bucket.start.day == 1 for bucket in found)
