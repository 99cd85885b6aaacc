"""When a fall of an account's score is published: when it becomes true, again only after it was false for a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

WINDOW: Final = "90d"
METHOD: Final = "latest"
REST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DropRule:
    """The score fell by at least `points` against the window before, from as many `respondents` on both sides."""

    points: float = 20
    respondents: int = 5

    def holds(self, figures: Mapping[str, Any]) -> bool:
        """Whether it does, by the figures of 90d latest."""
        change, previous = figures["change"], figures["previous"]
        if change is None or previous is None:
            return False
        answered = min(figures["stakeholder_count"], previous["stakeholder_count"])
        return bool(answered >= self.respondents and change <= -self.points)


@dataclass(frozen=True, slots=True)
class DropState:
    """Whether the score is in a drop, and when the last one ended."""

    dropped: bool = False
    until: datetime | None = None

    def next(self, holds: bool, now: datetime) -> "tuple[DropState, bool]":
        """The state after a look at the figures, and whether a drop is to be published."""
        if holds == self.dropped:
            return self, False
        if not holds:
            return DropState(False, now), False
        return DropState(True, self.until), self.until is None or now - self.until >= REST
