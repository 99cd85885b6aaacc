"""The data to be counted: accounts, people, submissions and invitations as plain records."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Client:
    """An account of the directory. `owner` is an e-mail address."""

    account_id: str
    name: str | None = None
    industry: str | None = None
    tier: str | None = None
    region: str | None = None
    owner: str | None = None
    revenue: Decimal | None = None
    currency: str | None = None
    removed: bool = False
    renewal_on: date | None = None


@dataclass(frozen=True)
class Person:
    """A person of the directory."""

    account_id: str
    stakeholder_id: str
    type: str | None = None
    job_level: str | None = None
    removed: bool = False


@dataclass(frozen=True)
class Entry:
    """A further answer within a submission."""

    question_id: str
    type: str
    value: int
    attribute: str | None = None


@dataclass(frozen=True)
class Submission:
    """The present state of a response."""

    response_id: str
    account_id: str
    stakeholder_id: str
    survey_type: str
    score: int
    answered_at: datetime
    nps_kind: str = "relationship"
    touchpoint: str | None = None
    product: str | None = None
    channel: str | None = None
    survey_id: str | None = None
    invitation_id: str | None = None
    comment: str | None = None
    follow_up_requested: bool = False
    test: bool = False
    withdrawn: bool = False
    erased: bool = False
    entries: tuple[Entry, ...] = ()

    @property
    def live(self) -> bool:
        """Whether the submission counts."""
        return not (self.test or self.withdrawn or self.erased)


@dataclass(frozen=True)
class Invite:
    """One invitation and the times of its steps."""

    invitation_id: str
    account_id: str
    stakeholder_id: str
    sent_at: datetime | None
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    bounced_at: datetime | None = None
    started_at: datetime | None = None
    survey_id: str | None = None
    channel: str | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True)
class World:
    """All data of an installation."""

    clients: tuple[Client, ...] = ()
    people: tuple[Person, ...] = ()
    submissions: tuple[Submission, ...] = ()
    invites: tuple[Invite, ...] = ()

    def client(self, account_id: str) -> Client:
        """The account, or an empty one where the directory has none."""
        return next((client for client in self.clients if client.account_id == account_id), Client(account_id))

    def person(self, account_id: str, stakeholder_id: str) -> Person:
        """The person, or an empty one where the directory has none."""
        for person in self.people:
            if (person.account_id, person.stakeholder_id) == (account_id, stakeholder_id):
                return person
        return Person(account_id, stakeholder_id)

    def account_ids(self) -> list[str]:
        """The ids of all accounts that occur anywhere."""
        kinds = (self.clients, self.people, self.submissions, self.invites)
        return sorted({entry.account_id for kind in kinds for entry in kind})

    def attributes(self, account_id: str, stakeholder_id: str | None) -> dict[str, Any]:
        """The directory's present attributes of an account and one of its people."""
        client = self.client(account_id)
        found: dict[str, Any] = {
            "account_id": account_id,
            "industry": client.industry,
            "tier": client.tier,
            "region": client.region,
            "owner": client.owner,
        }
        if stakeholder_id is not None:
            person = self.person(account_id, stakeholder_id)
            found |= {"stakeholder_type": person.type, "job_level": person.job_level}
        return found

    def voices(self, survey_type: str) -> Iterator[dict[str, Any]]:
        """Every live answer to a survey type, with all attributes to filter or group by. A submission of that type is
        one, and so is each of its entries of that type."""
        for submission in self.submissions:
            if not submission.live:
                continue
            own = [("", submission.score)] if submission.survey_type == survey_type else []
            further = [(entry.question_id, entry.value) for entry in submission.entries if entry.type == survey_type]
            for question_id, score in own + further:
                yield self.attributes(submission.account_id, submission.stakeholder_id) | {
                    "person": (submission.account_id, submission.stakeholder_id),
                    "response_id": submission.response_id,
                    "question_id": question_id,
                    "score": score,
                    "at": submission.answered_at,
                    "nps_kind": submission.nps_kind,
                    "touchpoint": submission.touchpoint,
                    "product": submission.product,
                    "channel": submission.channel,
                    "survey_id": submission.survey_id,
                }
