"""Waves: the people whom a programme asks in one week, and when their owners see them first."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.outreach.domain.hours import start_of
from services.outreach.domain.occasions import LATEST
from shared.calendar import BusinessCalendar

IN_WEEKS: Final = ("cadence", "once", "renewal")
"""Programmes that ask in weeks which are known before; events ask when they come."""
WORKING_DAYS: Final = 5
"""How long before its week owners see a wave."""


def latest_of(monday: date) -> datetime:
    """Until when asks of the week of a Monday may go: by this their wave is known."""
    return datetime.combine(monday, datetime.min.time(), UTC) + LATEST


def monday_until(latest_at: datetime) -> date:
    """The Monday of the wave whose asks may go until then."""
    return (latest_at.astimezone(UTC) - LATEST).date()


def shown_from(monday: date, calendar: BusinessCalendar) -> datetime:
    """When owners get the list of a wave: five working days before its Monday; aware, UTC."""
    at = start_of(monday, calendar.zone) + calendar.opens
    for _ in range(WORKING_DAYS):
        at = calendar.business_day_before(at)
    return at


def first_shown(now: datetime) -> datetime:
    """Asks that may go until later than this are of waves which nobody sees yet: five working days lie within a
    month, whatever the holidays."""
    return now + LATEST + timedelta(days=31)


def office(zone: ZoneInfo, holidays: frozenset[date]) -> BusinessCalendar:
    """The hours in which colleagues get mails."""
    return BusinessCalendar(zone, holidays=holidays)
