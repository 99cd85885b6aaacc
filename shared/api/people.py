"""People, their answers and changes as the API tells them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.api.examples import CHANGE, PERSON, RESPONSE, STATE
from shared.events.directory import PreviousLine


class AnswerReference(BaseModel):
    """One NPS answer."""

    response_id: str
    answered_at: datetime
    score: int
    category: str
    nps_kind: str


class State(BaseModel):
    """Where a person stands, by NPS. `previous`, `change` and `falls_in_a_row` look at answers of the same
    nps_kind as the latest one."""

    model_config = ConfigDict(json_schema_extra={"example": STATE})

    score: int | None = Field(description="Of the latest answer.")
    category: str | None = Field(description="Of the latest answer.")
    latest: AnswerReference | None
    previous: AnswerReference | None
    change: str | None = Field(description="The category change between the two.")
    falls_in_a_row: int = Field(description="How often in a row, up to the latest, the score was below the one before.")
    days_since_asked: int | None = Field(description="Whole days since the last invitation.")
    days_since_answered: int | None = Field(description="Whole days since the last answer to any survey.")
    silent: bool = Field(description="Asked long enough ago and not heard since.")


class LastAnswered(BaseModel):
    """When a person answered last, by what it was about."""

    relationship: datetime | None
    transactional: datetime | None = Field(description="About any occasion, projects included.")


class LastContacts(BaseModel):
    """When a person was asked and answered last, and what forbids asking them, whoever asked."""

    last_asked_at: datetime | None = Field(description="When the latest invitation was sent.")
    last_answered_at: LastAnswered
    bounced_at: datetime | None = Field(description="When the latest invitation came back.")
    unsubscribed_at: datetime | None = Field(description="When they last objected to being asked.")


class Person(BaseModel):
    """A person of an account with their state."""

    model_config = ConfigDict(json_schema_extra={"example": PERSON})

    account_id: str
    stakeholder_id: str
    account_name: str | None
    name: str | None
    email: str | None
    type: str | None = Field(description="decision_maker, user or influencer.")
    job_title: str | None
    job_level: str | None
    job_function: str | None
    location: str | None
    language: str | None
    time_zone: str | None = Field(description="A name of the IANA database.")
    mail_permission: str = Field(description="granted, refused or unknown.")
    attributes: dict[str, Any]
    removed: bool = Field(description="No longer in the directory; their answers still count.")
    aliases: list[str] = Field(description="The person's further ids: what comes by any of them is theirs.")
    previous: PreviousLine | None = Field(description="Who they were at the account where they were before.")
    contacts: LastContacts | None = Field(description="Null unless asked for by `contacts=true`.")
    state: State


class FurtherAnswer(BaseModel):
    """An entry of `answers`."""

    question_id: str
    type: str
    attribute: str | None
    value: int | str | None


class Response(BaseModel):
    """A response as it stands now."""

    model_config = ConfigDict(json_schema_extra={"example": RESPONSE})

    response_id: str
    account_id: str
    stakeholder_id: str
    given_stakeholder_id: str | None = Field(description="The id that it was given with, where that is another one.")
    survey_type: str
    score: int
    category: str | None = Field(description="NPS only.")
    comment: str | None
    answered_at: datetime
    recorded_at: datetime
    updated_at: datetime = Field(description="When it last changed here.")
    nps_kind: str
    touchpoint: str | None
    product: str | None
    channel: str | None
    survey_id: str | None
    invitation_id: str | None
    language: str | None
    follow_up_requested: bool
    answers: list[FurtherAnswer]
    attributes: dict[str, Any]
    test: bool = Field(description="Counted nowhere.")
    withdrawn: bool = Field(description="Counted nowhere any more.")
    revision: int = Field(description="Grows with every amendment.")


class PersonWithResponses(Person):
    """A person with all their live responses."""

    model_config = ConfigDict(json_schema_extra={"example": PERSON | {"responses": [RESPONSE]}})

    responses: list[Response] = Field(description="Up to as_of, oldest first.")


class Change(BaseModel):
    """A category change between two consecutive NPS answers of one person and nps_kind, dated by the
    later."""

    model_config = ConfigDict(json_schema_extra={"example": CHANGE})

    event_id: UUID = Field(description="Of the event stakeholder.answered that told, or would have told, of it.")
    kind: str
    account_id: str
    stakeholder_id: str
    nps_kind: str
    from_: str | None = Field(alias="from", description="Category before; null for a first answer.")
    to: str = Field(description="Category now.")
    from_score: int | None
    to_score: int
    response_id: str
    previous_response_id: str | None
    changed_at: datetime = Field(description="When the later answer was given.")
    recorded_at: datetime = Field(description="When it was recorded.")
