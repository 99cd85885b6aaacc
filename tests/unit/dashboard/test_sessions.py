"""When a session ends, and how long failures make the next try wait."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from services.dashboard.domain.sessions import LONGEST, FailureLimit, Session

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IDLE = timedelta(hours=12)
SPAN = timedelta(minutes=15)


def session(*, created: timedelta, seen: timedelta) -> Session:
    return Session(uuid4(), NOW - created, NOW - seen)


def test_a_session_ends_after_idle_hours() -> None:
    assert session(created=timedelta(hours=20), seen=timedelta(hours=11)).live(NOW, IDLE)
    assert not session(created=timedelta(hours=20), seen=IDLE).live(NOW, IDLE)


def test_a_busy_session_ends_as_well() -> None:
    assert not session(created=LONGEST, seen=timedelta(0)).live(NOW, IDLE)


def test_the_last_click_is_kept_to_the_minute() -> None:
    assert not session(created=timedelta(hours=1), seen=timedelta(seconds=59)).stale(NOW)
    assert session(created=timedelta(hours=1), seen=timedelta(seconds=60)).stale(NOW)


def test_after_too_many_failures_one_waits_for_the_oldest_to_pass() -> None:
    limit = FailureLimit(3, SPAN)
    failures = [NOW + timedelta(minutes=minute) for minute in range(3)]
    assert [limit.wait(failures[:number], NOW + timedelta(minutes=3)) for number in range(3)] == [None] * 3
    assert limit.wait(failures, NOW + timedelta(minutes=3)) == timedelta(minutes=12)
    assert limit.wait(failures, NOW + SPAN) is None


def test_failures_that_are_too_old_or_too_many_are_not_kept() -> None:
    failures = [NOW + timedelta(minutes=minute) for minute in range(20)]
    assert FailureLimit(30, SPAN).live(failures, NOW + timedelta(minutes=20)) == failures[6:]
    assert FailureLimit(3, SPAN).live(failures, NOW + timedelta(minutes=20)) == failures[-3:]
