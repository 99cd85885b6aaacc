"""When a session ends, and how often one may try to open one."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

LONGEST = timedelta(days=7)
"""A session ends after this long, however busy it was."""
TOUCH = timedelta(minutes=1)
"""How exactly the last click is kept."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in on one browser."""

    user_id: UUID
    created_at: datetime
    seen_at: datetime

    def live(self, now: datetime, idle: timedelta) -> bool:
        """Whether it still counts."""
        return now - self.seen_at < idle and now - self.created_at < LONGEST

    def stale(self, now: datetime) -> bool:
        """Whether the last click should be written down anew."""
        return now - self.seen_at >= TOUCH


class Throttle:
    """Counts failures by name in a sliding time. `limit` failures within `span` and the name must wait."""

    def __init__(self, limit: int, span: timedelta, *, names: int = 10_000) -> None:
        self._limit, self._span, self._names = limit, span, names
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()

    def wait(self, name: str, now: datetime) -> timedelta | None:
        """How long the name must wait; None when it may try."""
        failures = self._failures.get(name)
        while failures and now - failures[0] >= self._span:
            failures.popleft()
        if not failures or len(failures) < self._limit:
            return None
        return failures[0] + self._span - now

    def failed(self, name: str, now: datetime) -> None:
        """Count a failure; of too many names the oldest is forgotten."""
        self._failures.setdefault(name, deque(maxlen=self._limit)).append(now)
        self._failures.move_to_end(name)
        if len(self._failures) > self._names:
            self._failures.popitem(last=False)

    def forgive(self, name: str) -> None:
        """Take back the last failure of the name."""
        failures = self._failures.get(name)
        if failures:
            failures.pop()

    def succeeded(self, name: str) -> None:
        """Forget the failures of the name."""
        self._failures.pop(name, None)
