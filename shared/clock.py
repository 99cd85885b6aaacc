"""The time as a dependency that is passed in: tests set it, all other code only reads it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

FURTHEST = timedelta(days=5 * 366)
"""How far ahead a deadline may lie."""
NOT_AHEAD = "must lie ahead, within five years"
"""The words of the error for a deadline for which `is_ahead` does not hold."""


class Clock(Protocol):
    """Anything that knows the time."""

    def now(self) -> datetime:
        """The current time: aware, UTC, with microseconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time: aware, UTC, with microseconds."""
        return datetime.now(UTC)


def booted_at(clock: Clock) -> datetime | None:
    """When this machine was started; None where the system does not say (it is not Linux)."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    return clock.now() - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


def is_ahead(deadline: datetime, now: datetime) -> bool:
    """Whether a deadline may be set: it lies ahead, and not farther than `FURTHEST`."""
    return now < deadline <= now + FURTHEST


def rfc3339(moment: datetime) -> str:
    """A time in UTC as text, with `Z`; microseconds only where there are any."""
    return moment.isoformat().replace("+00:00", "Z")
