"""When a mail may go to a person: on the supplier's days of asking, in the person's hours, and on none of their
holidays.

Tuesday to Thursday from nine to four are the default, Tuesday and Wednesday first: Mondays and Fridays are left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.api.programmes import Hours
from shared.calendar import BusinessCalendar, Holidays

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Zones:
    """Which clock a person lives by. `regions` maps a region of the directory, in lower case, to a zone."""

    supplier: ZoneInfo
    regions: Mapping[str, ZoneInfo] = field(default_factory=dict)

    def of(self, person: str | None, account: str | None, region: str | None) -> ZoneInfo:
        """The zone of the person, else of the account, else of its region, else the supplier's. A name that no
        database of zones knows is as good as none."""
        for name in (person, account):
            if name is not None:
                try:
                    return ZoneInfo(name)
                except (ZoneInfoNotFoundError, ValueError, OSError):
                    continue
        return self.regions.get((region or "").lower(), self.supplier)


@dataclass(frozen=True, slots=True)
class Closed:
    """Why no mail may go at a moment, and from when on one may: `outside_hours` or `holiday`."""

    reason: str
    until: datetime


def calendar_of(hours: Hours, zone: ZoneInfo, holidays: Holidays, region: str | None) -> BusinessCalendar:
    """The hours of one person."""
    opens, closes = timedelta(hours=hours.opens), timedelta(hours=hours.closes)
    return BusinessCalendar(zone, frozenset(hours.days), opens, closes, holidays.of(region))


def closed_at(calendar: BusinessCalendar, at: datetime) -> Closed | None:
    """Why no mail may go to the person at this moment; None if one may."""
    if calendar.is_open(at):
        return None
    reason = "outside_hours"
    if calendar.local_date(at) in calendar.holidays:
        reason = "holiday"
    return Closed(reason, calendar.next_open(at))


def moment_in_week(monday: date, who: str, hours: Hours, calendar: BusinessCalendar) -> datetime:
    """When in the week of `monday` a person is asked: the same whenever it is computed, spread over the first days and
    over the first half of their hours, so that no two mails of thousands leave in one minute. In a week without a day
    of asking it is the next opening after the week began; aware, UTC."""
    spread = int.from_bytes(sha256(who.encode()).digest()[:8])
    week = [monday + offset * _DAY for offset in range(7)]
    working = [day for day in week if calendar.is_business_day(day)]
    first = [day for day in working if day.weekday() in hours.first_days]
    days = first or working
    if not days:
        return calendar.next_open(start_of(monday, calendar.zone))
    day = days[spread % len(days)]
    half = timedelta(hours=hours.closes - hours.opens) // 2 // _MINUTE
    minute = spread // len(days) % max(half, 1)
    # The minute is counted from the opening as an instant, so it lies in the hours also where the clocks change.
    return calendar.next_open(start_of(day, calendar.zone)) + minute * _MINUTE


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins there; aware, UTC."""
    return datetime.combine(day, datetime.min.time(), zone).astimezone(UTC)


def week_of(at: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week in which a moment lies there."""
    day = at.astimezone(zone).date()
    return day - day.weekday() * _DAY
