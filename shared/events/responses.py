"""Events of the topic `responses`: what people answered, and what was changed about it afterwards."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared import amendments
from shared.events.envelope import EventData, Id, register
from shared.topics import (
    IMPORT_UNDONE,
    RESPONSE_AMENDED,
    RESPONSE_RECORDED,
    RESPONSE_WITHDRAWN,
    STAKEHOLDER_ERASED,
)

SurveyType = Literal["nps", "csat", "ces"]
NpsKind = Literal["relationship", "transactional", "project"]
Channel = Literal["email", "link", "web", "in_app", "api", "import", "review"]
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
AnswerType = Literal["nps", "csat", "ces", "rating", "choice", "text"]
SCALES = amendments.SCALES
"""Smallest and largest score of each survey type; CES 7 is very easy."""


class Answer(EventData):
    """One further answer of a submission: its own metric, its own attribute."""

    question_id: Id
    type: AnswerType
    attribute: str | None = None
    value: int | str


class ResponseRecorded(EventData):
    """A survey answer was accepted. Complete and normalised: ids canonical, times UTC, defaults filled in.

    `sent` names the fields that the client itself sent, so that a repeat is told from a conflict without comparing
    filled-in defaults. `quiet` marks imports that shall raise no alert.
    """

    response_id: Id
    account_id: Id
    stakeholder_id: Id
    email: str | None = None
    survey_type: SurveyType
    score: int
    comment: str | None = None
    answered_at: AwareDatetime
    recorded_at: AwareDatetime
    nps_kind: NpsKind
    touchpoint: str | None = None
    product: str | None = None
    channel: Channel | None = None
    survey_id: Id | None = None
    invitation_id: Id | None = None
    language: str | None = None
    follow_up_requested: bool = False
    answers: tuple[Answer, ...] = ()
    attributes: dict[str, Any] = Field(default_factory=dict)
    test: bool = False
    sent: tuple[str, ...] = ()
    quiet: bool = False


class ResponseAmended(EventData):
    """Fields of a response were changed; absent = unchanged, null = cleared. Per field the greatest (recorded_at,
    event id) wins. `changes` holds only amendable fields: score, comment, answers, attributes, touchpoint, product,
    language, follow_up_requested, test.

    `survey_type` is what the client takes the response for. `posted` is the digest of what a browser posted. Where the
    response is another, the change counts nowhere.
    """

    event_id: UUID
    response_id: Id
    account_id: Id
    stakeholder_id: Id | None = None
    changes: dict[str, Any]
    recorded_at: AwareDatetime
    survey_type: SurveyType | None = None
    posted: Digest | None = None


class ResponseWithdrawn(EventData):
    """A response was taken back, for good."""

    event_id: UUID
    response_id: Id
    account_id: Id
    recorded_at: AwareDatetime


class ErasedId(EventData):
    """One of the ids of an erased person, and the keyed hash of it that stays in the journals. `account_id` is given
    where it is another account's than the event's."""

    account_id: Id | None = None
    stakeholder_id: Id
    subject: str


class StakeholderErased(EventData):
    """A person's data must go from every service. `subject` is the keyed hash of (account_id, stakeholder_id) that
    stays in the journals after the ids are gone; what was recorded, answered or happened at or before `erased_at`
    leaves every figure. `ids` are all the ids that the person has, also at other accounts where they were before: each
    of these gets an event of its own, under the same receipt."""

    receipt_id: UUID
    account_id: Id
    stakeholder_id: Id
    subject: str
    erased_at: AwareDatetime
    ids: tuple[ErasedId, ...] = ()

    def every_id(self) -> tuple[ErasedId, ...]:
        """The ids at the event's account, the one that was named first."""
        named = ErasedId(stakeholder_id=self.stakeholder_id, subject=self.subject)
        return named, *(erased for erased in self.ids if erased.account_id is None and erased.subject != self.subject)

    def elsewhere(self) -> Iterator[tuple[str, ErasedId]]:
        """The ids at other accounts, with the account."""
        for erased in self.ids:
            if erased.account_id is not None:
                yield erased.account_id, erased


class ImportUndone(EventData):
    """What an import has brought to an account is taken back: answers that it recorded first count as withdrawn until
    another record of their id comes, and its changes of other answers count nowhere. It comes after all records of
    the import in this account."""

    event_id: UUID
    import_id: UUID
    account_id: Id
    recorded_at: AwareDatetime


register(RESPONSE_RECORDED, ResponseRecorded)
register(RESPONSE_AMENDED, ResponseAmended)
register(RESPONSE_WITHDRAWN, ResponseWithdrawn)
register(STAKEHOLDER_ERASED, StakeholderErased)
register(IMPORT_UNDONE, ImportUndone)
