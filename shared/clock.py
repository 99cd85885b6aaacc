"""The time, as something that is passed in: tests move it, the rest of the code only asks it."""

from datetime import UTC, datetime
from typing import Protocol


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


def rfc3339(moment: datetime) -> str:
    """A time in UTC as text, with `Z`; microseconds only where there are any."""
    return moment.isoformat().replace("+00:00", "Z")
