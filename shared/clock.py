"""The time, as something that is passed in: tests move it, the rest of the code only asks it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

FURTHEST = timedelta(days=5 * 366)
"""How far ahead a deadline may lie."""
NOT_AHEAD = "must lie ahead, within five years"
"""What is said of a deadline for which `is_ahead` does not hold."""


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


def is_ahead(deadline: datetime, now: datetime) -> bool:
    """Whether a deadline may be set: it has not passed, and who sets it may live to see it."""
    return now < deadline <= now + FURTHEST


def rfc3339(moment: datetime) -> str:
    """A time in UTC as text, with `Z`; microseconds only where there are any."""
    return moment.isoformat().replace("+00:00", "Z")
