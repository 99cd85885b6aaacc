"""A clock that only the test advances."""

from datetime import datetime, timedelta


class FrozenClock:
    """A `shared.clock.Clock` under the control of a test."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("the time needs a time zone")
        self._at = at

    def now(self) -> datetime:
        """The time it was set to."""
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Move the time forward (or back) and return it."""
        self._at += by
        return self._at
