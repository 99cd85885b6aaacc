"""Accounts, people, their answers and changes as the API tells them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.scorer.api.examples import ACCOUNT, CHANGE, EXPLANATION, PERSON, RESPONSE, STATE
from services.scorer.api.models import AccountScore, AskedOfAccount, Comparison


class Money(BaseModel):
    """An amount in one currency (ISO 4217)."""

    amount: float
    currency: str | None


class Contact(BaseModel):
    """A colleague of ours."""

    name: str | None
    email: str | None


class AccountAttributes(BaseModel):
    """The directory's record of an account, and its class."""

    account_id: str
    name: str | None
    industry: str | None = Field(description="A known industry is its slug.")
    tier: str | None
    region: str | None
    annual_revenue: Money | None
    renewal_on: date | None
    products: list[str]
    owner: Contact | None
    sponsor: Contact | None
    parent_account_id: str | None
    attributes: dict[str, Any]
    removed: bool = Field(description="No longer in the directory; its answers still count.")
    class_: str = Field(
        alias="class", description="unknown, silent, at_risk, ambassador, divided or steady: the first rule that fits."
    )
    class_rule: str = Field(description="The rule that decided, in words.")
    class_numbers: dict[str, Any] = Field(description="The numbers it went by.")


class ListedAccount(Comparison, AskedOfAccount, AccountAttributes):
    """An account with its class and figures."""

    model_config = ConfigDict(json_schema_extra={"example": ACCOUNT})


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
    attributes: dict[str, Any]
    removed: bool = Field(description="No longer in the directory; their answers still count.")
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


class CountedAnswer(BaseModel):
    """An answer that the figure counts."""

    response_id: str
    stakeholder_id: str
    answered_at: datetime
    score: int
    category: str | None
    question_id: str | None = Field(default=None, description="Where it is an entry of `answers`.")


class NotCountedAnswer(CountedAnswer):
    """An answer that it does not."""

    reason: str = Field(
        description="The first that applies of conflict, withdrawn, test, other_survey, filtered, outside_window,"
        " superseded."
    )


class Explanation(AccountScore):
    """The figures with every answer of the account in one of two lists."""

    model_config = ConfigDict(json_schema_extra={"example": EXPLANATION})

    counted: list[CountedAnswer]
    not_counted: list[NotCountedAnswer]
