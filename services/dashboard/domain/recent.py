"""What somebody saw a moment ago: shown at once when they come back, while it is asked for anew."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Any

LONGEST = timedelta(minutes=5)
MOST = 500


class Recent:
    """Answers with their times, by who asked what. Old ones are not given, and of too many the oldest is forgotten."""

    def __init__(self, longest: timedelta = LONGEST, most: int = MOST) -> None:
        self._longest, self._most = longest, most
        self._kept: OrderedDict[Hashable, tuple[Any, datetime]] = OrderedDict()

    def get(self, key: Hashable, now: datetime) -> tuple[Any, datetime] | None:
        """The answer and when it came; None when there is none, or none that is new enough."""
        found = self._kept.get(key)
        if found is not None and now - found[1] >= self._longest:
            self.forget(key)
            return None
        return found

    def keep(self, key: Hashable, answer: Any, now: datetime) -> None:
        """Remember an answer."""
        self._kept[key] = answer, now
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """Do not show it again: it is not this person's any more."""
        self._kept.pop(key, None)
