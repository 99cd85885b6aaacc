"""Business time: hours, days and holidays in a time zone.

Hours are counted by the clock on the wall of each business day, as real elapsed time, so a day on which the
clocks change inside business hours is an hour shorter or longer. A business day is the same time of day on
the next business day. What starts out of hours counts from the next opening.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

DueUnit = Literal["business_hours", "business_days"]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_MAX_CLOSED_DAYS = 400
"""No sane calendar is closed for longer; beyond it the settings are wrong and we say so instead of looping.
"""


@dataclass(frozen=True, slots=True)
class Due:
    """How long somebody has: an amount of business hours or business days."""

    amount: int
    unit: DueUnit


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """The hours in which people work. `opens` and `closes` are offsets from local midnight, `weekdays` 0 =
    Monday.

    Raises ValueError when no business time is left.
    """

    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset(range(5))
    opens: timedelta = timedelta(hours=9)
    closes: timedelta = timedelta(hours=18)
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= set(range(7)):
            raise ValueError("business days must name at least one weekday")
        if not timedelta(0) <= self.opens < self.closes <= _DAY:
            raise ValueError("business hours must open before they close, within one day")

    def is_open(self, at: datetime) -> bool:
        """Whether `at` lies in business hours; the closing time itself does not."""
        day = at.astimezone(self.zone).date()
        if not self.is_business_day(day):
            return False
        opening, closing = self._hours_of(day)
        return opening <= at < closing

    def next_open(self, at: datetime) -> datetime:
        """`at` itself in business hours, else the next opening; aware, UTC."""
        for opening, closing in self._windows(at):
            if at < closing:
                return max(at.astimezone(UTC), opening)
        raise AssertionError("unreachable: _windows never ends")

    def add(self, start: datetime, due: Due) -> datetime:
        """The instant at which `due` has passed in business time since `start`; aware, UTC."""
        if due.unit == "business_hours":
            return self.add_time(start, timedelta(hours=due.amount))
        return self.add_days(start, due.amount)

    def add_time(self, start: datetime, amount: timedelta) -> datetime:
        """`amount` of business time after `start`; a sum that fills a day ends at its closing, not at the
        next opening.
        """
        for opening, closing in self._windows(start):
            begin = max(start.astimezone(UTC), opening)
            room = closing - begin
            if room <= timedelta(0):
                continue
            if amount <= room:
                return begin + amount
            amount -= room
        raise AssertionError("unreachable: _windows never ends")

    def add_days(self, start: datetime, days: int) -> datetime:
        """At the time of day of `start`, `days` business days after it (or after the next opening, if that is
        later).
        """
        if days == 0:
            return self.next_open(start)
        begin = self.next_open(start).astimezone(self.zone)
        time_of_day = begin.replace(tzinfo=None) - datetime.combine(begin.date(), datetime.min.time())
        day = begin.date()
        for _ in range(days):
            day = self._business_day_from(day + _DAY)
        return _instant(self.zone, day, time_of_day)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The business time between two instants."""
        total = timedelta(0)
        for opening, closing in self._windows(start):
            if opening >= end:
                return total
            total += max(timedelta(0), min(end, closing) - max(start, opening))
        raise AssertionError("unreachable: _windows never ends")

    def business_day_before(self, at: datetime) -> datetime:
        """At the time of day of `at`, on the business day before; in its hours, at the earliest when it opens."""
        local = at.astimezone(self.zone)
        for offset in range(1, _MAX_CLOSED_DAYS):
            day = local.date() - offset * _DAY
            if self.is_business_day(day):
                opening, closing = self._hours_of(day)
                wall = local.replace(tzinfo=None) - datetime.combine(local.date(), datetime.min.time())
                same = _instant(self.zone, day, wall)
                return max(opening, min(same, closing - timedelta(minutes=1)))
        raise ValueError("the calendar has no business day within a year")

    def local_date(self, at: datetime) -> date:
        """The date on the wall where the supplier works."""
        return at.astimezone(self.zone).date()

    def _windows(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Opening and closing of each business day from the local date of `start` on, without end."""
        day = start.astimezone(self.zone).date()
        while True:
            day = self._business_day_from(day)
            yield self._hours_of(day)
            day += _DAY

    def _hours_of(self, day: date) -> tuple[datetime, datetime]:
        return _hours(self.zone, self.opens, self.closes, day)

    def _business_day_from(self, day: date) -> date:
        for offset in range(_MAX_CLOSED_DAYS):
            candidate = day + offset * _DAY
            if self.is_business_day(candidate):
                return candidate
        raise ValueError("the calendar has no business day within a year")

    def is_business_day(self, day: date) -> bool:
        return day.weekday() in self.weekdays and day not in self.holidays


@lru_cache(maxsize=1_000)
def _hours(zone: ZoneInfo, opens: timedelta, closes: timedelta, day: date) -> tuple[datetime, datetime]:
    """Opening and closing of a day. Kept, since every task asks for those of the same few days."""
    return _instant(zone, day, opens), _instant(zone, day, closes)


def _instant(zone: ZoneInfo, day: date, time_of_day: timedelta) -> datetime:
    """A local time as UTC. One that the clocks skip lies as far behind the gap as it would have been in it."""
    wall = datetime.combine(day, datetime.min.time()) + time_of_day
    return wall.replace(tzinfo=zone).astimezone(UTC)


def parse_hours(text: str) -> tuple[timedelta, timedelta]:
    """Read `09:00-18:00`; `24:00` is the end of the day. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", text.replace(" ", "").replace("–", "-"))
    if match is None:
        raise ValueError("business hours are written like 09:00-18:00")
    opens_h, opens_m, closes_h, closes_m = map(int, match.groups())
    if opens_m > 59 or closes_m > 59:
        raise ValueError("minutes go from 00 to 59")
    return timedelta(hours=opens_h, minutes=opens_m), timedelta(hours=closes_h, minutes=closes_m)


def parse_weekdays(text: str) -> frozenset[int]:
    """Read `mon-fri`, `sun-thu` or `mon,wed,fri`. Raises ValueError."""
    days: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if not dash:
            last = first
        try:
            begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
        except ValueError:
            raise ValueError("business days are written like mon-fri or mon,wed,fri") from None
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days on which nobody works: everywhere, or in one region of the directory (in lower case)."""

    everywhere: frozenset[date] = frozenset()
    by_region: Mapping[str, frozenset[date]] = field(default_factory=dict)

    def of(self, region: str | None) -> frozenset[date]:
        """The holidays of a region; of an unknown one those that are kept everywhere."""
        return self.everywhere | self.by_region.get((region or "").lower(), frozenset())


def parse_holidays(text: str) -> Holidays:
    """Read `2026-12-25,dach:2026-10-03`: a date, or a region and a date; empty is none. Raises ValueError."""
    everywhere: set[date] = set()
    by_region: dict[str, set[date]] = {}
    for part in text.split(","):
        region, colon, day = part.strip().rpartition(":")
        if not day:
            continue
        days = everywhere
        if colon:
            days = by_region.setdefault(region.strip().lower(), set())
        days.add(date.fromisoformat(day.strip()))
    return Holidays(frozenset(everywhere), {region: frozenset(days) for region, days in by_region.items()})
