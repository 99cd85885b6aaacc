"""Every figure of the API, declared once: its name, its unit and formula, and the formula's source. The scorer's domain
makes plain values with these keys in this order (services/scorer/domain/figures.py); a test holds that they agree."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.api.examples import ACCOUNT_SCORE

MethodName = Literal["latest", "all", "mean_of_accounts", "revenue_weighted"]


class Score(BaseModel):
    """The figures of one window by itself. Percentages run from 0 to 100 and are never rounded; where nothing
    counts they are null and the counts are 0. Keys that a survey type does not have are null."""

    nps: float | None = Field(description="100·(P − D)/n from −100 to 100, as the nearest double, never rounded.")
    nps_rounded: int | None = Field(description="The same for display, half away from zero.")
    promoter_count: int | None = Field(description="Answers of 9 and 10.")
    promoter_percent: float | None = Field(description="Their share.")
    passive_count: int | None = Field(description="Answers of 7 and 8.")
    passive_percent: float | None = Field(description="Their share.")
    detractor_count: int | None = Field(description="Answers of 0 to 6.")
    detractor_percent: float | None = Field(description="Their share.")
    response_count: int = Field(description="n: the answers that the method counts.")
    stakeholder_count: int = Field(description="Respondents: distinct people among them.")
    mean_score: float | None = Field(description="The mean of the scores.")
    distribution: list[int] = Field(description="How many answers of each score: 11 counts, by score 0 to 10.")
    ci_low: float | None = Field(description="Lower end of the 95 % interval: adjusted Wald after Rocks (2016).")
    ci_high: float | None = Field(description="Upper end of it; both clipped to ±100.")
    top_two_percent: float | None = Field(description="CSAT only: share of 4 and 5.")
    easy_percent: float | None = Field(description="CES only: share of 5 and above.")
    last_answered_at: datetime | None = Field(description="When the last counted answer was given.")


class SameStakeholders(BaseModel):
    """The change among the people who answered in both windows."""

    n: int = Field(description="So many people.")
    change: float | None = Field(
        description="100 times the mean of their changes, each of −2 to 2 (−1, 0, 1 before and now)."
    )
    t: float | None = Field(description="Paired t statistic; null below 2 people or without spread.")


class Coverage(BaseModel):
    """People. Null where respondents are split by something that people do not have."""

    known: int | None = Field(description="In the directory or ever heard.")
    asked: int | None = Field(description="Sent an invitation in the window.")
    answered: int = Field(description="Heard in the window.")


class Extent(BaseModel):
    """Accounts."""

    known: int | None = Field(description="In the directory or ever heard.")
    asked: int | None = Field(description="With somebody asked in the window.")
    answered: int = Field(description="With somebody heard in the window.")


class RevenueExtent(BaseModel):
    """Annual revenue of those accounts, of the accounts that have theirs in the currency."""

    currency: str | None = Field(description="ISO 4217.")
    known: float | None = Field(description="Of the known accounts.")
    asked: float | None = Field(description="Of those asked.")
    answered: float | None = Field(description="Of those heard.")


class PortfolioCoverage(Coverage):
    """People, accounts and revenue."""

    accounts: Extent
    revenue: RevenueExtent


class ComparedScore(Score):
    """The figures with the window before."""

    previous: Score | None = Field(description="The window before; null before all time.")
    change: float | None = Field(description="nps minus the previous nps.")
    z: float | None = Field(description="Difference of the adjusted scores over its standard error.")
    significant: bool = Field(description="|z| ≥ 1.96 with at least 10 respondents on both sides.")
    same_stakeholders: SameStakeholders | None


class Comparison(ComparedScore):
    """The figures with the window before and the invitations."""

    coverage: Coverage
    sent_count: int | None = Field(description="Invitations sent in the window.")
    delivered_count: int | None = Field(description="Of these, delivered.")
    opened_count: int | None = Field(description="Of these, opened.")
    bounced_count: int | None = Field(description="Of these, bounced.")
    response_rate: float | None = Field(description="Answered over sent and not bounced, from 0 to 1.")
    open_rate: float | None = Field(description="Opened over sent and not bounced.")
    bounce_rate: float | None = Field(description="Bounced over sent.")
    comment_rate: float | None = Field(description="Answered with a comment over sent and not bounced.")
    follow_up_request_rate: float | None = Field(description="Answered with the wish to be called, over the same.")


class AskedOfAccount(BaseModel):
    """What a figure of an account is a figure of."""

    account_id: str
    window: str
    method: MethodName
    survey_type: str
    as_of: datetime | None = Field(default=None, description="Only when it was sent.")


class AccountScore(Comparison, AskedOfAccount):
    """The figures of one account. `Account` and `Explanation` have them too; lists and roles have `Comparison`."""

    model_config = ConfigDict(json_schema_extra={"example": ACCOUNT_SCORE})

    stale_since: datetime | None = Field(
        default=None,
        description="Only when what follows from the account's answers (class, changes, follow-ups) cannot be worked"
        " out since then. It is tried again and again; these figures are counted from the answers all the same.",
    )
