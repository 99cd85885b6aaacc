"""Accounts, people and answers as alerting knows them, and who a task goes to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from services.alerting.domain.rules import Values
from services.alerting.domain.tasks import Contact, OwnerSource, Recipient

MAX_TITLE = 130
FRESH = timedelta(days=30)
"""An answer given longer before it was recorded is history: no follow-up and no message."""
PersonKey = tuple[str, str]
"""The account_id and the stakeholder_id of a person."""
SubjectKey = tuple[str, str | None]
"""An account and a person at it, None for the account itself."""
NOBODY = Contact()
NO_OWNER = "the account has no owner in the directory: goes to the default owner"
NO_SPONSOR = "the account has no sponsor in the directory: goes to its owner"


def persons_of(subjects: Iterable[SubjectKey]) -> set[PersonKey]:
    """The people among these subjects."""
    persons: set[PersonKey] = set()
    for account_id, person in subjects:
        if person is not None:
            persons.add((account_id, person))
    return persons


def accounts_of(subjects: Iterable[SubjectKey]) -> set[str]:
    """The accounts that these subjects are, or belong to."""
    return {account_id for account_id, _ in subjects}


def themselves(account_ids: Iterable[str]) -> set[SubjectKey]:
    """The accounts as subjects of their own, without their people."""
    return {(account_id, None) for account_id in account_ids}


@dataclass(frozen=True, slots=True)
class Account:
    """A client account as the directory has it; only the id is certain."""

    account_id: str
    name: str | None = None
    industry: str | None = None
    tier: str | None = None
    region: str | None = None
    revenue_amount: float | None = None
    revenue_currency: str | None = None
    renewal_on: date | None = None
    closed_on: date | None = None
    removed: bool = False
    owner: Contact = NOBODY
    sponsor: Contact = NOBODY
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stakeholder:
    """A person at an account as the directory has them; only the ids are certain."""

    account_id: str
    stakeholder_id: str
    name: str | None = None
    email: str | None = None
    type: str | None = None
    job_title: str | None = None
    removed: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)
    email_changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as alerting keeps it: for its comment and what a message shows of it."""

    account_id: str
    response_id: str
    stakeholder_id: str
    survey_type: str
    score: int
    answered_at: datetime
    nps_kind: str | None = None
    comment: str | None = None
    touchpoint: str | None = None
    product: str | None = None
    follow_up_requested: bool = False
    language: str | None = None
    quiet: bool = False
    test: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """The owner of a task, where the owner is known from, and reasons to show with it."""

    owner: Contact
    source: OwnerSource
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Staff:
    """The default owner, for accounts without an owner, and the leader; from the settings."""

    default_owner: Contact
    leader: Contact = NOBODY


def assignment_for(recipient: Recipient, account: Account, staff: Staff) -> Assignment:
    """The owner of a task: owner, sponsor or leader as the rule says; who is missing in the directory is
    replaced by the next one, down to the default owner.
    """
    owner, source = _known(account.owner, staff.default_owner)
    reasons: list[str] = []
    if recipient == "sponsor" and account.sponsor.known:
        owner, source = account.sponsor, "directory"
    elif recipient == "sponsor":
        reasons.append(NO_SPONSOR)
    elif recipient == "leader" and staff.leader.known:
        owner, source = staff.leader, "directory"
    if source == "default":
        reasons.append(NO_OWNER)
    return Assignment(owner, source, tuple(reasons))


def informed_by(informs: tuple[Recipient, ...], account: Account, staff: Staff) -> tuple[Contact, ...]:
    """Whom a rule wants to be told, as far as they are known."""
    named = {"owner": account.owner, "sponsor": account.sponsor, "leader": staff.leader}
    return tuple(named[role] for role in informs if named[role].known)


def _known(owner: Contact, default_owner: Contact) -> tuple[Contact, OwnerSource]:
    if owner.known:
        return owner, "directory"
    return default_owner, "default"


def title_of(label: str, facts: Values, account: Account, person: Stakeholder | None) -> str:
    """One line for a list, at most 130 characters: `Detractor (2): Jane Doe, Acme`."""
    head = label
    if facts.get("score") is not None:
        head += f" ({facts['score']})"
    who = [account_name(account)]
    if person is not None:
        who.insert(0, person.name or person.stakeholder_id)
    title = f"{head}: {', '.join(who)}"
    if len(title) > MAX_TITLE:
        return title[: MAX_TITLE - 1] + "…"
    return title


def account_name(account: Account) -> str:
    """How people call it; what stands for a segment is named by its value."""
    return account.name or account.account_id.rpartition("/")[2]
