"""When a session ends, and how often a sign-in may fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

LONGEST = timedelta(days=7)
"""A session ends after this time, even if it is in use."""
TOUCH = timedelta(minutes=1)
"""Precision with which the last click is stored."""


@dataclass(frozen=True, slots=True)
class Session:
    """The session of a person on one browser."""

    user_id: UUID
    created_at: datetime
    seen_at: datetime

    def live(self, now: datetime, idle: timedelta) -> bool:
        """Whether the session has not ended."""
        return now - self.seen_at < idle and now - self.created_at < LONGEST

    def stale(self, now: datetime) -> bool:
        """Whether the time of the last click should be stored again."""
        return now - self.seen_at >= TOUCH


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """A limit of failures: after `limit` failures within `span`, the next try has to wait."""

    limit: int
    span: timedelta

    def live(self, failures: Sequence[datetime], now: datetime) -> list[datetime]:
        """The failures within the span, the oldest first."""
        return [at for at in failures if now - at < self.span][-self.limit :]

    def wait(self, failures: Sequence[datetime], now: datetime) -> timedelta | None:
        """Time until the next try; None when it may be made now."""
        live = self.live(failures, now)
        if len(live) >= self.limit:
            return live[0] + self.span - now
        return None
