"""Events of the topic `responses`: what people answered, and what was changed about it afterwards."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.events.envelope import EventData, register
from shared.topics import RESPONSE_AMENDED, RESPONSE_RECORDED, RESPONSE_WITHDRAWN, STAKEHOLDER_ERASED

SurveyType = Literal["nps", "csat", "ces"]
NpsKind = Literal["relationship", "transactional", "project"]
Channel = Literal["email", "link", "web", "in_app", "api", "import", "review"]
AnswerType = Literal["nps", "csat", "ces", "rating", "choice", "text"]
SCALES: dict[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""Smallest and largest score of each survey type; CES 7 is very easy."""


class Answer(EventData):
    """One further answer of a submission: its own metric, its own attribute."""

    question_id: str
    type: AnswerType
    attribute: str | None = None
    value: int | str


class ResponseRecorded(EventData):
    """A survey answer was accepted. Complete and normalised: ids canonical, times UTC, defaults filled in.

    `sent` names the fields that the client itself sent, so that a repeat is told from a conflict without comparing
    filled-in defaults. `quiet` marks imports that shall raise no alert.
    """

    response_id: str
    account_id: str
    stakeholder_id: str
    email: str | None = None
    survey_type: SurveyType
    score: int
    comment: str | None = None
    answered_at: datetime
    recorded_at: datetime
    nps_kind: NpsKind
    touchpoint: str | None = None
    product: str | None = None
    channel: Channel | None = None
    survey_id: str | None = None
    invitation_id: str | None = None
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
    language, follow_up_requested, test."""

    event_id: UUID
    response_id: str
    account_id: str
    stakeholder_id: str | None = None
    changes: dict[str, Any]
    recorded_at: datetime


class ResponseWithdrawn(EventData):
    """A response was taken back, for good."""

    event_id: UUID
    response_id: str
    account_id: str
    recorded_at: datetime


class StakeholderErased(EventData):
    """A person's data must go everywhere. `subject` is the keyed hash of (account_id, stakeholder_id) that stays in
    the journals after the ids are gone; what was recorded at or before `erased_at` leaves every figure."""

    receipt_id: UUID
    account_id: str
    stakeholder_id: str
    subject: str
    erased_at: datetime


register(RESPONSE_RECORDED, ResponseRecorded)
register(RESPONSE_AMENDED, ResponseAmended)
register(RESPONSE_WITHDRAWN, ResponseWithdrawn)
register(STAKEHOLDER_ERASED, StakeholderErased)
