"""When a programme asks whom: each occasion has a key, so that nobody is asked twice for one, and a week.

Weeks are named by their Monday.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from services.outreach.domain.eligibility import FLOOR
from services.outreach.domain.hours import week_of
from shared.api.programmes import Cadence, Once, OnEvent, Renewal

WEEK: Final = timedelta(days=7)
LATEST: Final = FLOOR + WEEK
"""How long after its week began, or its event asked for it, an ask may still go; then the next occasion counts. A week
longer than the floor: who was asked for something else in that week would lose the occasion otherwise."""
BY_HAND: Final = "by hand "
"""Begins the key of what somebody asked by hand; its day follows."""
EVENT_GRACE: Final = timedelta(days=3)
"""An event that asked for a mail longer ago than this was brought by a file and mails nobody."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One time at which a person is to be asked. `monday`: the week; `at`: not before this moment, where an event says
    so; `latest_at`: not after it."""

    key: str
    monday: date
    latest_at: datetime
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """A context event: `at` is when it happened."""

    event_id: str
    kind: str
    at: datetime
    account_id: str
    stakeholder_id: str | None = None


def cadence_occasions(
    cadence: Cadence, programme_id: str, begun: date, account_id: str, type_: str | None, until: date
) -> Iterator[Occasion]:
    """Weeks in which a person of the account is asked, from the week of `begun` to that of `until`.

    Accounts are spread over the weeks of the shorter period by a hash, which stays; so all people of an account are
    asked in one week, and each week asks about as many accounts as the others.
    """
    shorter = min(weeks_of(cadence.users_days), weeks_of(cadence.decision_makers_days))
    period = weeks_of(cadence.users_days)
    if type_ == "decision_maker":
        period = weeks_of(cadence.decision_makers_days)
    week = monday_of(begun) + offset_of(programme_id, account_id, shorter) * WEEK
    while week <= until:
        yield _in_week(week.isoformat(), week)
        week += period * WEEK


def weeks_of(days: int) -> int:
    """The period in weeks, rounded, at least one: 91 days are 13 weeks and 182 are 26."""
    return max(1, round(days / 7))


def offset_of(programme_id: str, account_id: str, weeks: int) -> int:
    """The week of the period in which an account is asked, 0 to `weeks` - 1."""
    digest = sha256(f"{programme_id}/{account_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % weeks


def once_occasion(once: Once) -> Occasion:
    """The one wave."""
    return _in_week(once.on.isoformat(), monday_of(once.on))


def renewal_occasion(renewal: Renewal, renewal_on: date) -> Occasion:
    """The week that lies so many days before the renewal; another day of renewal is another occasion."""
    return _in_week(f"renewal {renewal_on.isoformat()}", monday_of(renewal_on - timedelta(days=renewal.days_before)))


def event_occasions(
    when: OnEvent, event: Happening, ended_at: datetime | None, until: datetime, zone: ZoneInfo
) -> Iterator[Occasion]:
    """What follows from an event: once, or again every `repeat_days` until `ended_at`, up to `until`."""
    turn = 0
    while True:
        at = event.at + timedelta(days=when.after_days + turn * (when.repeat_days or 0))
        if at > until or (turn and ended_at is not None and at >= ended_at):
            return
        key = event.event_id
        if turn:
            key = f"{event.event_id} {turn}"
        yield Occasion(key, week_of(at, zone), at + LATEST, at)
        if when.repeat_days is None:
            return
        turn += 1


def is_stale(occasion: Occasion, now: datetime) -> bool:
    """Whether an occasion of an event was over before anybody looked: then nobody is mailed for it."""
    return occasion.at is not None and now > occasion.at + EVENT_GRACE


def monday_of(day: date) -> date:
    """The Monday of the week of a day."""
    return day - timedelta(days=day.weekday())


def _in_week(key: str, monday: date) -> Occasion:
    end = datetime.combine(monday, datetime.min.time(), UTC) + LATEST
    return Occasion(key, monday, end)
