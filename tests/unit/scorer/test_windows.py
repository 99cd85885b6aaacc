"""Windows: what they are called, and what lies in them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.scorer.domain.windows import parse_window, utc_text

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize("text", ["7d", "30d", "90d", "180d", "365d", "1d", "1100d"])
def test_any_number_of_days_is_a_window(text: str) -> None:
    assert parse_window(text).days == int(text[:-1])


@pytest.mark.parametrize(
    "text", ["", "0d", "-1d", "1101d", "9999999d", "90", "d", "090d", "90D", "1.5d", "9\uff10d", "ALL"]
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1100d"):
        parse_window(text)


def test_a_window_is_open_below_and_closed_above() -> None:
    span = parse_window("90d").span(NOW)
    assert span.holds(NOW)
    assert not span.holds(NOW + MICROSECOND)
    assert not span.holds(NOW - timedelta(days=90))
    assert span.holds(NOW - timedelta(days=90) + MICROSECOND)


def test_the_window_before_ends_where_the_window_begins() -> None:
    window = parse_window("30d")
    before = window.before(NOW)
    assert before is not None
    assert before.upto == window.span(NOW).after
    assert before.upto - before.after == timedelta(days=30)


def test_there_is_nothing_before_all_time() -> None:
    window = parse_window("all")
    assert window.before(NOW) is None
    assert window.span(NOW).holds(datetime(1900, 1, 1, tzinfo=UTC))


def test_moments_are_told_in_utc_with_their_microseconds() -> None:
    moment = datetime(2026, 6, 1, 2, 0, 0, 7, timezone(timedelta(hours=5)))
    assert utc_text(moment) == "2026-05-31T21:00:00.000007Z"
    assert utc_text(NOW) == "2026-06-01T12:00:00Z"
