"""The portfolio's figures and trends as the API tells them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.api.examples import PORTFOLIO, PORTFOLIO_TREND, TREND
from shared.api.figures import Comparison, MethodName, PortfolioCoverage


class LeftOut(BaseModel):
    """An account that has respondents but no weight."""

    account_id: str
    name: str | None
    reason: str = Field(description="`no_revenue` or `other_currency`.")


class PortfolioFigures(Comparison):
    """Figures over accounts. By `mean_of_accounts` and `revenue_weighted` the score is the mean of the
    accounts' scores by `latest`, and the counts beside it are those of `latest`; interval and z are null."""

    coverage: PortfolioCoverage
    account_count: int = Field(description="Accounts with respondents.")
    currency: str | None = Field(default=None, description="revenue_weighted only: the currency of the weights.")
    left_out_count: int | None = Field(
        default=None,
        description="revenue_weighted only: accounts with respondents but without revenue in the currency.",
    )
    left_out: list[LeftOut] | None = Field(default=None, description="Their names, at most 200.")


class GroupFigures(PortfolioFigures):
    """One group by one method."""

    group: dict[str, str | None] = Field(description="What the group has in common; `{}` is everything.")
    method: MethodName


class PortfolioScore(BaseModel):
    """The portfolio, split as asked."""

    model_config = ConfigDict(json_schema_extra={"example": PORTFOLIO})

    window: str
    survey_type: str
    as_of: datetime | None = Field(default=None, description="Only when it was sent.")
    groups: list[GroupFigures] = Field(description="By group, None last, then by method as asked.")
    stale_account_count: int | None = Field(
        default=None,
        description="Only when there are any: accounts of which classes, changes and follow-ups cannot be worked out"
        " now. They are tried again and again; the figures count their answers all the same.",
    )


class Mark(BaseModel):
    """A context event, or that records of people became one (`people_merged`)."""

    event_id: UUID
    account_id: str
    stakeholder_id: str | None
    kind: str
    at: datetime
    label: str | None


class Bucket(BaseModel):
    """One point: a calendar bucket in UTC, looked at from its end."""

    from_: datetime = Field(alias="from", description="First moment of the bucket.")
    to: datetime = Field(
        description="Its last microsecond, as of which the figure is taken. The last point is taken as of `as_of`,"
        " which is its `to` then, or as of now, which no answer tells: its `to` is the end of the bucket."
    )
    method: MethodName


class Point(Comparison, Bucket):
    """A point of an account's trend."""


class PortfolioPoint(PortfolioFigures, Bucket):
    """A point of the portfolio's trend, one for each method."""


class PortfolioTrend(BaseModel):
    """The portfolio's figures over time."""

    model_config = ConfigDict(json_schema_extra={"example": PORTFOLIO_TREND})

    interval: str
    window: str
    survey_type: str
    as_of: datetime | None = Field(default=None, description="Only when it was sent.")
    points: list[PortfolioPoint] = Field(description="Oldest first.")
    marks: list[Mark] = Field(description="What happened in the time of the points, oldest first; the last 500.")


class TrendAnswer(BaseModel):
    """One of the answers behind the points."""

    response_id: str
    stakeholder_id: str
    answered_at: datetime
    score: int
    category: str | None = Field(description="NPS only.")


class AccountTrend(BaseModel):
    """An account's figures over time."""

    model_config = ConfigDict(json_schema_extra={"example": TREND})

    account_id: str
    interval: str
    window: str
    survey_type: str
    as_of: datetime | None = Field(default=None, description="Only when it was sent.")
    points: list[Point] = Field(description="Oldest first.")
    marks: list[Mark] = Field(description="What happened in the time of the points, oldest first; the last 500.")
    answers: list[TrendAnswer] | None = Field(
        default=None,
        description="Only when asked for: the answers given in the time of the points, oldest first; the last 1,000.",
    )
