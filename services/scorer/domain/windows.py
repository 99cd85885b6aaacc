"""Rolling windows: which answers count at a moment, which counted in the window before, and when that
changes."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MAX_DAYS = 1100
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
_DAYS = re.compile(r"([1-9][0-9]{0,3})d")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, open below and closed above: (after, upto]."""

    after: datetime
    upto: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return self.after < moment <= self.upto


@dataclass(frozen=True, slots=True)
class Window:
    """`days` days ending at as_of; `None` = all time."""

    name: str
    days: int | None

    def span(self, as_of: datetime) -> Span:
        """(as_of − N days, as_of]."""
        if self.days is None:
            return Span(EARLIEST, as_of)
        return Span(as_of - timedelta(days=self.days), as_of)

    def before(self, as_of: datetime) -> Span | None:
        """The window before: (as_of − 2N days, as_of − N days]; there is none before all time."""
        if self.days is None:
            return None
        length = timedelta(days=self.days)
        return Span(as_of - 2 * length, as_of - length)

    def earliest(self, as_of: datetime) -> datetime:
        """After which moment answers matter: where the window before begins, if there is one."""
        before = self.before(as_of)
        if before is None:
            return EARLIEST
        return before.after


def parse_window(text: str) -> Window:
    """`all`, or `Nd` with N from 1 to 1,100 and no leading zero. Raises ValueError."""
    if text == "all":
        return Window(text, None)
    match = _DAYS.fullmatch(text)
    if match is None or int(match[1]) > MAX_DAYS:
        raise ValueError(f"must be 'all' or a number of days from 1d to {MAX_DAYS}d")
    return Window(text, int(match[1]))


STANDARD_WINDOWS = tuple(parse_window(name) for name in ("7d", "30d", "90d", "180d", "365d", "all"))
YEAR = STANDARD_WINDOWS[4]


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC with as many microseconds as there are, e.g. `2026-11-22T09:30:00.000001Z`."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat()[:-6]}Z"
