"""Which occasions a person of an audience has, and when they are due."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.outreach.domain.hours import Zones, calendar_of, moment_in_week
from services.outreach.domain.occasions import (
    Happening,
    Occasion,
    cadence_occasions,
    event_occasions,
    once_occasion,
    renewal_occasion,
)
from shared.api.programmes import Cadence, Hours, Once, OnEvent, ProgrammeDocument, Renewal
from shared.calendar import BusinessCalendar, Holidays

HORIZON: Final = timedelta(days=14)
"""How far ahead asks are written: owners see them, and may take people out, before anything is sent."""


NOBODY: Final = ""
"""Whose ask it is that an event caused which names no person."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person of an audience, with what decides about the moment: zones by their names, the region of the account, its
    tier, and the days on which it became a customer and renews."""

    account_id: str
    stakeholder_id: str
    type: str | None = None
    zone: str | None = None
    account_zone: str | None = None
    region: str | None = None
    tier: str | None = None
    customer_since: date | None = None
    renewal_on: date | None = None
    owner_email: str | None = None

    @property
    def person(self) -> tuple[str, str]:
        """account_id and stakeholder_id."""
        return self.account_id, self.stakeholder_id


@dataclass(frozen=True, slots=True)
class Deployment:
    """What holds for all programmes: clocks and holidays."""

    zones: Zones
    holidays: Holidays = field(default_factory=Holidays)

    def calendar(self, hours: Hours, member: Member) -> BusinessCalendar:
        """The hours in which a person gets mails."""
        zone = self.zones.of(member.zone, member.account_zone, member.region)
        return calendar_of(hours, zone, self.holidays, member.region)


@dataclass(frozen=True, slots=True)
class Due:
    """A person's occasion, and when it is due."""

    member: Member
    occasion: Occasion
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Events:
    """What happened, for a programme that asks about it: by account, in the order in which it happened; and when what
    it asks about ended, by account."""

    by_account: Mapping[str, Sequence[Happening]] = field(default_factory=dict)
    ends: Mapping[str, Sequence[datetime]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planner:
    """Finds what a programme that began on a day has to ask up to a moment."""

    programme_id: str
    programme: ProgrammeDocument
    begun: date
    deployment: Deployment
    events: Events = Events()

    def due(self, members: Iterable[Member], since: datetime, until: datetime) -> Iterator[Due]:
        """Occasions that are due up to `until` and can still be met at `since`."""
        hours = self.programme.hours
        for member in members:
            calendar = self.deployment.calendar(hours, member)
            for occasion in self._occasions(member, calendar, until):
                due_at = occasion.at or moment_in_week(occasion.monday, "/".join(member.person), hours, calendar)
                if due_at <= until and occasion.latest_at >= since:
                    yield Due(member, occasion, due_at)

    def _occasions(self, member: Member, calendar: BusinessCalendar, until: datetime) -> Iterable[Occasion]:
        match self.programme.when:
            case Cadence() as cadence:
                return cadence_occasions(
                    cadence, self.programme_id, self.begun, member.account_id, member.type, until.date()
                )
            case Once() as once:
                return [once_occasion(once)]
            case Renewal() as renewal:
                if member.renewal_on is None:
                    return []
                return [renewal_occasion(renewal, member.renewal_on)]
            case OnEvent() as when:
                return self._after_events(when, member, calendar, until)

    def _after_events(
        self, when: OnEvent, member: Member, calendar: BusinessCalendar, until: datetime
    ) -> Iterator[Occasion]:
        """What follows from the events of a person, or of the account. What was due before the programme began is none
        of its business."""
        begun_at = datetime.combine(self.begun, datetime.min.time(), UTC)
        events = self.events.by_account.get(member.account_id, ())
        if when.whom == "person":
            events = [event for event in events if (event.stakeholder_id or NOBODY) == member.stakeholder_id]
        if when.only_first:
            events = events[:1]
        for event in events:
            ended = [at for at in self.events.ends.get(member.account_id, ()) if at > event.at]
            for occasion in event_occasions(when, event, min(ended, default=None), until, calendar.zone):
                if occasion.at is not None and occasion.at >= begun_at:
                    yield occasion
