"""When a session ends, and when somebody must wait before the next try."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from services.dashboard.domain.sessions import LONGEST, Session, Throttle

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
    throttle = Throttle(3, SPAN)
    for minute in range(3):
        assert throttle.wait("ada", NOW + timedelta(minutes=minute)) is None
        throttle.failed("ada", NOW + timedelta(minutes=minute))
    assert throttle.wait("ada", NOW + timedelta(minutes=3)) == timedelta(minutes=12)
    assert throttle.wait("ben", NOW) is None
    assert throttle.wait("ada", NOW + SPAN) is None


def test_success_forgets_failures() -> None:
    throttle = Throttle(1, SPAN)
    throttle.failed("ada", NOW)
    throttle.succeeded("ada")
    assert throttle.wait("ada", NOW) is None


def test_made_up_names_do_not_fill_the_memory() -> None:
    throttle = Throttle(1, SPAN, names=2)
    for name in ("ada", "ben", "cem"):
        throttle.failed(name, NOW)
    assert [name for name in ("ada", "ben", "cem") if throttle.wait(name, NOW)] == ["ben", "cem"]
