"""Accounts: attributes, class and figures, and why a figure is what it is."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.api.examples import ACCOUNT, ACCOUNT_DETAIL, EXPLANATION
from shared.api.figures import AccountScore, AskedOfAccount, Comparison
from shared.events.directory import DoNotAsk


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
    closed_on: date | None = Field(description="From then on it is a client no more.")
    time_zone: str | None = Field(description="A name of the IANA database.")
    language: str | None
    customer_since: date | None
    do_not_ask: DoNotAsk | None = Field(description="Nobody of the account is asked for an answer.")
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

    trend: list[float | None] | None = Field(
        default=None,
        description="Only when asked for: the score at the end of each month, oldest first, the last one as of `as_of`"
        " or now; null where nothing counts.",
    )


class RoleFigures(Comparison):
    """The figures of one kind of stakeholder."""

    stakeholder_type: str = Field(description="decision_maker, user or influencer.")


class SurveyFigures(Comparison):
    """The figures of one survey type at one touchpoint."""

    survey_type: str
    touchpoint: str | None = Field(description="Null for all answers of the type.")


class Account(AccountScore, AccountAttributes):
    """An account as of one moment: attributes, class, figures, and the same figures split. What a split lacks has its
    figures null and its counts 0."""

    model_config = ConfigDict(json_schema_extra={"example": ACCOUNT_DETAIL})

    by_stakeholder_type: list[RoleFigures] = Field(description="NPS of each kind of stakeholder.")
    by_survey: list[SurveyFigures] = Field(
        description="NPS of all answers, then each survey type and touchpoint that was ever answered."
    )


class CountedAnswer(BaseModel):
    """An answer that the figure counts."""

    response_id: str
    stakeholder_id: str
    given_stakeholder_id: str | None = Field(description="The id that it was given with, where that is another one.")
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
