"""The points of a trend: calendar buckets in UTC, each looked at from its last microsecond."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

Interval = Literal["week", "month", "quarter"]
INTERVALS: Final[tuple[Interval, ...]] = ("week", "month", "quarter")
MAX_POINTS: Final = 120
_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One calendar bucket: its first moment, its last one, and the moment its figure is taken at."""

    start: datetime
    end: datetime
    as_of: datetime


def buckets(interval: Interval, points: int, as_of: datetime) -> list[Bucket]:
    """The `points` buckets up to the one that holds as_of, oldest first; ISO weeks begin on Monday. The last
    one is looked at from as_of itself."""
    start = _start(interval, as_of)
    after = _following(interval, start)
    found = [Bucket(start, after - _MOMENT, as_of)]
    while len(found) < points:
        after, start = start, _start(interval, start - _MOMENT)
        found.append(Bucket(start, after - _MOMENT, after - _MOMENT))
    return found[::-1]


def _start(interval: Interval, moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if interval == "week":
        return day - timedelta(days=day.weekday())
    if interval == "month":
        return day.replace(day=1)
    return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)


def _following(interval: Interval, start: datetime) -> datetime:
    if interval == "week":
        return start + timedelta(days=7)
    months = start.month
    if interval == "quarter":
        months += 2
    return start.replace(year=start.year + months // 12, month=months % 12 + 1)
