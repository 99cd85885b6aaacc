"""Revenue, drivers and the plain metrics, as the API tells them."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.api.portfolio import LeftOut

_SUMS: dict[str, Any] = {"account_count": 4, "revenue": 900_000.0, "revenue_at_risk": 250_000.0}
REVENUE: dict[str, Any] = {
    "currency": "EUR",
    **_SUMS,
    "by_class": [{"class": "at_risk", "account_count": 1, "revenue": 250_000.0, "revenue_at_risk": 250_000.0}],
    "by_renewal_quarter": [
        {"quarter": "2027-Q1", "from": "2027-01-01", "to": "2027-03-31", **_SUMS}
        | {"by_class": {"at_risk": 250_000.0, "steady": 650_000.0}}
    ],
    "left_out_count": 1,
    "left_out": [{"account_id": "delta", "name": "Delta", "reason": "no_revenue"}],
}
DRIVERS: dict[str, Any] = {
    "window": "90d",
    "groups": [
        {
            "group": {"industry": "logistics"},
            "drivers": [
                {
                    "attribute": "reliability",
                    "type": "rating",
                    "n": 48,
                    "mean": 3.75,
                    "low_up_to": 2,
                    "low_percent": 12.5,
                    "promoter_mean": 4.5,
                    "passive_mean": 3.6,
                    "detractor_mean": 2.4,
                    "rank_correlation": 0.71,
                }
            ],
            "left_out": [{"attribute": "communication", "type": "rating", "n": 12}],
        }
    ],
}
METRICS: dict[str, Any] = {
    "nps": 33,
    "nps_exact": 33.333333333333336,
    "promoter_count": 5,
    "promoter_percent": 55.55555555555556,
    "passive_count": 2,
    "passive_percent": 22.22222222222222,
    "detractor_count": 2,
    "detractor_percent": 22.22222222222222,
    "response_count": 9,
}


class Sums(BaseModel):
    """Accounts and their annual revenue."""

    account_count: int
    revenue: float
    revenue_at_risk: float = Field(description="Of the accounts whose class is at_risk.")


class ClassRevenue(Sums):
    """The accounts of one class."""

    class_: str = Field(alias="class")


class QuarterRevenue(Sums):
    """The accounts that renew in one quarter; `quarter`, `from` and `to` are null for those without a date."""

    quarter: str | None = Field(examples=["2027-Q1"])
    from_: date | None = Field(alias="from")
    to: date | None = Field(description="The last day.")
    by_class: dict[str, float] = Field(description="Revenue by class.")


class PortfolioRevenue(Sums):
    """Revenue of the portfolio."""

    model_config = ConfigDict(json_schema_extra={"example": REVENUE})

    as_of: datetime | None = Field(default=None, description="Only when it was sent.")
    currency: str | None = Field(description="ISO 4217; null when no account has revenue.")
    by_class: list[ClassRevenue] = Field(description="All six classes.")
    by_renewal_quarter: list[QuarterRevenue] = Field(description="Earliest first, no date last.")
    left_out_count: int = Field(description="Accounts without revenue in the currency.")
    left_out: list[LeftOut] = Field(description="Their names, at most 200.")


class Driver(BaseModel):
    """One rated attribute beside NPS."""

    attribute: str
    type: str = Field(description="rating, csat or ces.")
    n: int = Field(description="Respondents: people who rated it and gave an NPS answer.")
    mean: float
    low_up_to: int = Field(description="A rating up to this is low.")
    low_percent: float = Field(description="Share of low ratings.")
    promoter_mean: float | None
    passive_mean: float | None
    detractor_mean: float | None
    rank_correlation: float | None = Field(
        description="Spearman's rho with the NPS score, mean ranks for ties; null without spread."
    )


class TooFew(BaseModel):
    """An attribute of which nothing is said."""

    attribute: str
    type: str
    n: int


class DriverGroup(BaseModel):
    """The drivers of one group."""

    group: dict[str, str | None] = Field(description="What the NPS answers have in common; `{}` is everything.")
    drivers: list[Driver] = Field(description="By rank correlation, the highest first.")
    left_out: list[TooFew] = Field(description="Attributes with fewer than 20 respondents.")


class Drivers(BaseModel):
    """What drives the score, split as asked."""

    model_config = ConfigDict(json_schema_extra={"example": DRIVERS})

    window: str
    as_of: datetime | None = Field(default=None, description="Only when it was sent.")
    groups: list[DriverGroup] = Field(description="By group, null last.")


class Metrics(BaseModel):
    """The score in Delighted's shape. Percentages run from 0 to 100 and are not rounded."""

    model_config = ConfigDict(json_schema_extra={"example": METRICS})

    nps: int | None = Field(description="Rounded half away from zero.")
    nps_exact: float | None = Field(description="The same, not rounded.")
    promoter_count: int
    promoter_percent: float | None
    passive_count: int
    passive_percent: float | None
    detractor_count: int
    detractor_percent: float | None
    response_count: int
