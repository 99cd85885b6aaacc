"""Cohorts as the API tells them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCORE: dict[str, Any] = {
    "nps": 37.5,
    "nps_rounded": 38,
    "promoter_count": 22,
    "promoter_percent": 55.0,
    "passive_count": 11,
    "passive_percent": 27.5,
    "detractor_count": 7,
    "detractor_percent": 17.5,
    "response_count": 40,
    "stakeholder_count": 40,
    "mean_score": 8.2,
    "distribution": [0, 0, 1, 0, 1, 2, 3, 5, 6, 12, 10],
    "ci_low": 12.1,
    "ci_high": 57.7,
    "last_answered_at": "2026-11-20T08:15:00Z",
}
COHORT: dict[str, Any] = {
    "group": {"industry": "logistics", "tier": "key"},
    "hidden": False,
    "hidden_reason": None,
    "account_count": 9,
    **SCORE,
    "previous": SCORE | {"nps": 32.5, "nps_rounded": 33},
    "change": 5.0,
}
COHORTS: dict[str, Any] = {"window": "365d", "method": "latest", "protected": False, "groups": [COHORT]}


class CohortScore(BaseModel):
    """The figures of a window by itself, as the scorer has them."""

    nps: float | None = Field(None, description="100·(P − D)/n; rounded to a whole number where protected.")
    nps_rounded: int | None = Field(None, description="For display, half away from zero.")
    promoter_count: int | None = Field(None, description="Answers of 9 and 10.")
    promoter_percent: float | None = Field(None, description="Their share.")
    passive_count: int | None = Field(None, description="Answers of 7 and 8.")
    passive_percent: float | None = Field(None, description="Their share.")
    detractor_count: int | None = Field(None, description="Answers of 0 to 6.")
    detractor_percent: float | None = Field(None, description="Their share.")
    response_count: int | None = Field(None, description="The answers that the method counts.")
    stakeholder_count: int | None = Field(None, description="Respondents: distinct people among them.")
    mean_score: float | None = Field(None, description="The mean of the scores.")
    distribution: list[int] | None = Field(None, description="How many answers of each score 0 to 10.")
    ci_low: float | None = Field(None, description="Lower end of the 95 % interval.")
    ci_high: float | None = Field(None, description="Upper end of it.")
    last_answered_at: datetime | None = Field(None, description="When the last counted answer was given.")


class OwnScore(BaseModel):
    """The score of the caller's own accounts in the cohort."""

    nps: float | None
    nps_rounded: int | None
    response_count: int
    stakeholder_count: int
    account_count: int


class CohortModel(CohortScore):
    """One cohort. A hidden one has no figures; a protected one has whole numbers and no window before."""

    model_config = ConfigDict(json_schema_extra={"example": COHORT})

    group: dict[str, str | None] = Field(description="What its accounts have in common; `{}` is everything.")
    hidden: bool = Field(description="Whether its figures could tell what a single account says.")
    hidden_reason: Literal["few_accounts", "dominated", "complement"] | None = Field(
        description="Fewer than 5 accounts; one of them gives more than 40 % of the answers; or the difference to other"
        " cohorts would be such a one."
    )
    account_count: int | None = Field(None, description="Accounts with answers.")
    previous: CohortScore | None = Field(None, description="The window before.")
    change: float | None = Field(None, description="nps minus the previous nps.")
    own: OwnScore | None = Field(None, description="Only for a key that is limited to an owner.")


class CohortsModel(BaseModel):
    """Cohorts."""

    model_config = ConfigDict(json_schema_extra={"example": COHORTS})

    window: str
    method: str
    protected: bool = Field(description="Always for exports and for keys that are limited to an owner.")
    groups: list[CohortModel] = Field(description="From the whole to the crossings, by values, null last.")
