"""When a session ends, and how often one may try to open one."""

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Brake:
    """`limit` failures within `span`, and the next try has to wait."""

    limit: int
    span: timedelta

    def live(self, failures: Sequence[datetime], now: datetime) -> list[datetime]:
        """Those that still count, the oldest first."""
        return [at for at in failures if now - at < self.span][-self.limit :]

    def wait(self, failures: Sequence[datetime], now: datetime) -> timedelta | None:
        """How long until the next try; None when it may be made now."""
        live = self.live(failures, now)
        return live[0] + self.span - now if len(live) >= self.limit else None
