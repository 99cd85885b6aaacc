"""Whether a person may be asked: objections, permission, and how long ago somebody asked them, whoever that was."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.outreach.domain.bounces import SOFT_HOLD

FLOOR: Final = timedelta(days=14)
"""Between two asks of one address, whatever they are about."""
TRANSACTIONAL: Final = timedelta(days=30)
RELATIONSHIP: Final = timedelta(days=80)
RELATIONSHIP_OF_DECIDERS: Final = timedelta(days=170)
RANKS: Final = ("decision_maker", "influencer", "user")
"""Who is asked of several people with one address: the first of these types, else any other, then the first id."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who is to be asked, with what is known of them.

    `listed`: in the directory, at an account that is there and still a client. `do_not_ask`: why nobody of the account
    is asked, until the day `do_not_ask_until` included (None: for good). `objected`: the address is on the list.
    `lifted_at`: when an objection of the address was taken back last. Of the moments each is the latest from any
    source; `address_asked_at` is of all people who have the address. `soft_bounced_at`: when mails of several
    programmes had come back for a while.
    """

    account_id: str
    stakeholder_id: str
    listed: bool = False
    name: str | None = None
    email: str | None = None
    type: str | None = None
    language: str | None = None
    mail_permission: str = "unknown"
    do_not_ask: str | None = None
    do_not_ask_until: date | None = None
    email_changed_at: datetime | None = None
    asked_at: datetime | None = None
    address_asked_at: datetime | None = None
    relationship_asked_at: datetime | None = None
    transactional_asked_at: datetime | None = None
    relationship_answered_at: datetime | None = None
    transactional_answered_at: datetime | None = None
    bounced_at: datetime | None = None
    soft_bounced_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    objected: bool = False
    lifted_at: datetime | None = None

    @property
    def person(self) -> tuple[str, str]:
        """account_id and stakeholder_id."""
        return self.account_id, self.stakeholder_id

    @property
    def rank(self) -> tuple[int, str]:
        """Who is asked first of several people with one address: the smaller."""
        place = len(RANKS)
        if self.type in RANKS:
            place = RANKS.index(self.type)
        return place, self.stakeholder_id


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a person is not asked. `again_at`: from when on they may be; None where time changes nothing."""

    reason: str
    detail: str
    again_at: datetime | None = None


def refusal_of(candidate: Candidate, kind: str, now: datetime, *, overriding: bool = False) -> Refusal | None:
    """Why the person may not be asked for `kind` now; None if they may. With `overriding` it does not matter when they
    were asked or answered last; nothing passes over an objection."""
    barred = _barred(candidate, now)
    if barred is not None or overriding:
        return barred
    return _too_early(candidate, kind, now)


def quarantine_of(kind: str, stakeholder_type: str | None) -> timedelta:
    """How long a person is left alone by one kind of survey."""
    if kind != "relationship":
        return TRANSACTIONAL
    if stakeholder_type == "decision_maker":
        return RELATIONSHIP_OF_DECIDERS
    return RELATIONSHIP


def _barred(candidate: Candidate, now: datetime) -> Refusal | None:
    """What forbids asking at any time."""
    if not candidate.listed:
        return Refusal("not_in_directory", "the directory lists no such person at a current client")
    until = candidate.do_not_ask_until
    if candidate.do_not_ask is not None and (until is None or now.date() <= until):
        return Refusal("do_not_ask", f"nobody of the account is asked: {candidate.do_not_ask}")
    if _objects(candidate):
        return Refusal("objected", "the person objects to being asked")
    if candidate.mail_permission == "refused":
        return Refusal("no_permission", "the person refused to be asked by mail")
    if _holds(candidate, candidate.bounced_at):
        return Refusal("bounced", "mail to the address came back; correct the address")
    again_at = _soft_hold_until(candidate)
    if again_at is not None and now < again_at:
        detail = f"mails of several programmes came back; may be asked again from {again_at:%Y-%m-%d} on"
        return Refusal("bounced", detail, again_at)
    return None


def _objects(candidate: Candidate) -> bool:
    if candidate.objected:
        return True
    if candidate.unsubscribed_at is None:
        return False
    return candidate.lifted_at is None or candidate.unsubscribed_at > candidate.lifted_at


def _holds(candidate: Candidate, bounced_at: datetime | None) -> bool:
    """Whether mail came back, and neither has the address been changed nor has the person answered since."""
    if bounced_at is None:
        return False
    since = (candidate.email_changed_at, candidate.relationship_answered_at, candidate.transactional_answered_at)
    return all(moment is None or moment <= bounced_at for moment in since)


def _soft_hold_until(candidate: Candidate) -> datetime | None:
    if candidate.soft_bounced_at is None or not _holds(candidate, candidate.soft_bounced_at):
        return None
    return candidate.soft_bounced_at + SOFT_HOLD


def _too_early(candidate: Candidate, kind: str, now: datetime) -> Refusal | None:
    """What only time forbids."""
    quarantine = quarantine_of(kind, candidate.type)
    asked_at, answered_at = candidate.transactional_asked_at, candidate.transactional_answered_at
    if kind == "relationship":
        asked_at, answered_at = candidate.relationship_asked_at, candidate.relationship_answered_at
    if answered_at is not None and now < answered_at + quarantine:
        return _again("already_answered", "answered", answered_at, quarantine)
    if asked_at is not None and now < asked_at + quarantine:
        return _again("quarantine", "was asked", asked_at, quarantine)
    last = max(filter(None, (candidate.asked_at, candidate.address_asked_at)), default=None)
    if last is not None and now < last + FLOOR:
        return _again("floor", "was asked for something", last, FLOOR)
    return None


def _again(reason: str, what: str, at: datetime, wait: timedelta) -> Refusal:
    again_at = at + wait
    return Refusal(reason, f"{what} on {at:%Y-%m-%d}; may be asked again from {again_at:%Y-%m-%d} on", again_at)
