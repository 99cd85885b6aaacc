"""A cache of what people saw a moment ago: shown at once when they come back, while the page loads again."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Any

LONGEST = timedelta(minutes=5)
MOST = 500


class Recent:
    """Answers with their times, keyed by person and page. Old answers are not returned; when there are too many, the
    oldest is evicted."""

    def __init__(self, longest: timedelta = LONGEST, most: int = MOST) -> None:
        self._longest, self._most = longest, most
        self._kept: OrderedDict[Hashable, tuple[Any, datetime]] = OrderedDict()

    def get(self, key: Hashable, now: datetime) -> tuple[Any, datetime] | None:
        """The answer and its time; None when there is none, or only one that is too old."""
        found = self._kept.get(key)
        if found is not None and now - found[1] >= self._longest:
            self.forget(key)
            return None
        return found

    def keep(self, key: Hashable, answer: Any, now: datetime) -> None:
        """Store an answer."""
        self._kept[key] = answer, now
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """Drop an answer: this person may not see it any more."""
        self._kept.pop(key, None)
