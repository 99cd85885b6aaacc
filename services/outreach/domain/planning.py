"""What becomes of an ask of a programme at a moment: it goes, it waits, or it never goes. The planner, the dry-run and
the sender decide by the same function."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.outreach.domain.audience import Deployment, Member
from services.outreach.domain.eligibility import Candidate, Refusal, refusal_of
from services.outreach.domain.hours import closed_at, start_of
from shared.api.programmes import ProgrammeDocument
from shared.calendar import BusinessCalendar

RETRY: Final = timedelta(minutes=5)
"""When an ask that waits for a relay, or for what has not been read yet, is looked at again."""
PAUSED: Final = timedelta(days=1)
"""When an ask of a programme that rests is looked at again; a start looks at once."""
_TIERS_CALLED: Final = ("key", "premium")


@dataclass(frozen=True, slots=True)
class Go:
    """The mail goes now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """It waits, for a reason, until a moment at which it is looked at again."""

    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """It never goes; `detail` says it in words."""

    reason: str
    detail: str


Decision = Go | Hold | Skip


@dataclass(frozen=True, slots=True)
class Terms:
    """What the programme and the deployment ask for.

    `kind` of survey: relationship or transactional. `paused`: nothing goes. `reading_behind`: what others have recorded
    is not known yet. `relay_away`: the relay takes nothing. `reminder`: the person was asked and is reminded, so it
    does not matter when that was.
    """

    kind: str
    only_with_permission: bool = False
    not_before_days: int = 0
    paused: bool = False
    reading_behind: bool = False
    relay_away: bool = False
    supports_smtputf8: bool = False
    reminder: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A person who is to be asked: in which hours, until when, and since when the account is a customer, where that is
    known."""

    candidate: Candidate
    calendar: BusinessCalendar
    latest_at: datetime
    customer_since: datetime | None = None


def terms_of(programme: ProgrammeDocument, kind: str, circumstances: Terms) -> Terms:
    """What a programme asks for by a kind of survey; `circumstances`: what holds for all mails now."""
    return replace(
        circumstances,
        kind=kind,
        only_with_permission=programme.only_with_permission,
        not_before_days=programme.who.not_before_days,
    )


def planned_of(
    candidate: Candidate, member: Member, programme: ProgrammeDocument, deployment: Deployment, latest_at: datetime
) -> Planned:
    """A person of a programme, with what decides whether they are asked."""
    since = None
    if member.customer_since is not None:
        since = start_of(member.customer_since, deployment.zones.supplier)
    return Planned(candidate, deployment.calendar(programme.hours, member), latest_at, since)


def decide(planned: Planned, terms: Terms, now: datetime, cap_until: datetime | None = None) -> Decision:
    """What becomes of the ask now. `cap_until`: from when on the programme or the account has mails left, if it has
    none today.

    While a programme rests, or others' records are not read, everything waits. Else what forbids asking for good comes
    first; then what only time forbids, in the order in which a person would want to know; an ask that cannot go in time
    is too late.
    """
    hold = _unknown(terms, now)
    if hold is None:
        refused = _refused(planned, terms, now)
        if refused is not None:
            return refused
        hold = _hold(planned, terms, now, cap_until)
    if now > planned.latest_at or (hold is not None and hold.until > planned.latest_at):
        reason = "its time"
        if hold is not None:
            reason = hold.reason
        return Skip("too_late", f"could not be asked in time: {reason}")
    return hold or Go()


def reminders_of(days: Sequence[int], stakeholder_type: str | None, tier: str | None) -> Sequence[int]:
    """On which days after the invitation a person is reminded. Decision-makers of key and premium accounts only get the
    first: a fortnight after it their owner calls, and no machine writes that morning."""
    if stakeholder_type == "decision_maker" and tier in _TIERS_CALLED:
        return days[:1]
    return days


def is_reminded(number: int, *, answered: bool, finished: bool) -> bool:
    """Whether the reminder of a number, from 1, goes to somebody who has answered or finished: the first goes also to
    those who began and did not finish, the second only to those who did not answer."""
    if finished:
        return False
    return number == 1 or not answered


def _refused(planned: Planned, terms: Terms, now: datetime) -> Skip | None:
    candidate, customer_since = planned.candidate, planned.customer_since
    barred = refusal_of(candidate, terms.kind, now, overriding=True)
    if barred is not None and barred.again_at is None:
        return Skip(barred.reason, barred.detail)
    early = _early(candidate, terms, now)
    if early is not None and early.reason == "already_answered":
        return Skip(early.reason, early.detail)
    if candidate.email is None:
        return Skip("no_address", "the directory has no address of the person")
    if not candidate.email.partition("@")[0].isascii() and not terms.supports_smtputf8:
        return Skip("needs_smtputf8", "the relay takes no address of this kind")
    if terms.only_with_permission and candidate.mail_permission != "granted":
        return Skip("no_permission", "the person has not said that they may be asked by mail")
    if customer_since is not None and now < customer_since + timedelta(days=terms.not_before_days):
        return Skip("too_new", f"a customer since {customer_since:%Y-%m-%d} only")
    return None


def _unknown(terms: Terms, now: datetime) -> Hold | None:
    """What lets everything wait: nothing final is decided on what may not be so any more."""
    if terms.paused:
        return Hold("paused", now + PAUSED)
    if terms.reading_behind:
        return Hold("reading_behind", now + RETRY)
    return None


def _hold(planned: Planned, terms: Terms, now: datetime, cap_until: datetime | None) -> Hold | None:
    early = _early(planned.candidate, terms, now)
    if early is not None and early.again_at is not None:
        return Hold(early.reason, early.again_at)
    closed = closed_at(planned.calendar, now)
    if closed is not None:
        return Hold(closed.reason, closed.until)
    if cap_until is not None and cap_until > now:
        return Hold("cap", cap_until)
    if terms.relay_away:
        return Hold("relay_away", now + RETRY)
    return None


def _early(candidate: Candidate, terms: Terms, now: datetime) -> Refusal | None:
    """What forbids asking only for a time."""
    return refusal_of(candidate, terms.kind, now, overriding=terms.reminder)
