"""Comparisons as the API tells them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.http.paging import Page

PUBLISHED: dict[str, Any] = {
    "set": "clientshare-2026",
    "source": "Clientshare",
    "year": 2026,
    "industry": "logistics",
    "nps": 41.0,
    "n": None,
    "method": None,
    "region": None,
    "note": "disruption weakened delivery reliability, communication poorer",
    "version": 1,
    "lower_quartile": None,
    "median": None,
    "upper_quartile": None,
}
POINT: dict[str, Any] = {
    "nps": 44.0,
    "response_count": 20,
    "stakeholder_count": 20,
    "ci_low": 8.5,
    "ci_high": 70.2,
    "change": 6.0,
}
COMPARISON: dict[str, Any] = {
    "window": "365d",
    "method": "latest",
    "industry": "logistics",
    "industry_name": "Logistics",
    "figures": {"nps": 50.0, "ci_low": 14.3, "ci_high": 74.8, "response_count": 20, "stakeholder_count": 20},
    "benchmark": PUBLISHED,
    "benchmark_before": PUBLISHED | {"set": "clientshare-2025", "year": 2025, "nps": 43.0, "note": None},
    "gap": 9.0,
    "own_change": 6.0,
    "benchmark_change": -2.0,
    "past": {"month": POINT | {"change": 0.0, "nps": 50.0}, "quarter": POINT, "year": POINT},
    "percentile": None,
    "warnings": ["benchmark_method_not_published"],
    "sentence": "+50 from 20 respondents, up 6 on last year while the industry lost 2, 9 above the 2026 average of"
    " Logistics (+41).",
}
ACCOUNT_COMPARISON: dict[str, Any] = {
    "account_id": "acme",
    **COMPARISON,
    "rank": {"position": 4, "of": 31},
    "rank_in_industry": {"position": 2, "of": 7},
}
PORTFOLIO_COMPARISON: dict[str, Any] = {
    "window": "365d",
    "method": "latest",
    "groups": [{"group": {"industry": "logistics"}, **COMPARISON}],
}


class ChosenBenchmark(BaseModel):
    """One published figure with where it comes from."""

    model_config = ConfigDict(json_schema_extra={"example": PUBLISHED})

    set: str = Field(description="The set it belongs to.")
    source: str = Field(description="Who publishes it.")
    year: int
    industry: str = Field(description="Slug of the industry; one that is not on our list as it came.")
    nps: float = Field(description="−100 to 100.")
    n: int | None = Field(description="Answers behind it; null where the source does not say.")
    method: str | None = Field(description="How it was computed; null where the source does not say.")
    region: str | None
    note: str | None
    version: int = Field(description="Of its series; only the highest is shown here.")
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


class PublishedBenchmark(ChosenBenchmark):
    """A published benchmark as lists show it, with the industry's name."""

    model_config = ConfigDict(json_schema_extra={"example": PUBLISHED | {"industry_name": "Logistics"}})

    industry_name: str = Field("", description="The industry's name for people.")


class PublishedBenchmarks(Page[PublishedBenchmark]):
    """Benchmarks in force."""

    warnings: list[str] = Field(description="`no_published_benchmark` where the list is empty.")


class PastPoint(BaseModel):
    """Our own figure at an earlier time."""

    nps: float | None = Field(description="The NPS then; null when nothing counted.")
    response_count: int = Field(description="Answers that counted then.")
    stakeholder_count: int = Field(description="Respondents then.")
    ci_low: float | None
    ci_high: float | None
    change: float | None = Field(description="Points since then.")


class Past(BaseModel):
    """Our own past: 30, 91 and 365 days before."""

    month: PastPoint
    quarter: PastPoint
    year: PastPoint


class Place(BaseModel):
    """A place among accounts; those with the same figure share the better one."""

    position: int
    of: int


class ComparisonModel(BaseModel):
    """Where a figure stands: own past first, then the industry."""

    window: str
    method: str
    industry: str | None = Field(description="Slug of the industry compared with.")
    industry_name: str | None = Field(description="Its name for people.")
    figures: dict[str, Any] = Field(description="The figures of the scorer, with interval and respondents.")
    benchmark: ChosenBenchmark | None = Field(description="Null where none is published.")
    benchmark_before: ChosenBenchmark | None = Field(description="Of the same source and region, a year earlier.")
    gap: float | None = Field(description="Own NPS minus the benchmark's.")
    own_change: float | None = Field(description="Own NPS minus that of a year ago.")
    benchmark_change: float | None = Field(description="The benchmark minus that of the year before.")
    past: Past
    percentile: float | None = Field(description="Where quartiles are published: share of companies below, 0 to 100.")
    warnings: list[str] = Field(
        description="no_answers, few_voices, no_figure_a_year_ago, no_industry, no_published_benchmark,"
        " benchmark_older_than_two_years, benchmark_method_not_published, methods_differ, regions_differ,"
        " no_benchmark_of_the_year_before, figure_of_a_part, percentile_estimated_from_quartiles."
    )
    sentence: str


class AccountComparison(ComparisonModel):
    """The comparison of one account."""

    model_config = ConfigDict(json_schema_extra={"example": ACCOUNT_COMPARISON})

    account_id: str
    rank: Place | None = Field(
        description="Among the accounts that the key may see; null unless asked for now, a standard window and all"
        " answers."
    )
    rank_in_industry: Place | None = Field(description="The same among those of its industry.")


class GroupComparison(ComparisonModel):
    """The comparison of one group of the portfolio."""

    model_config = ConfigDict(json_schema_extra={"example": {"group": {"industry": "logistics"}, **COMPARISON}})

    group: dict[str, str | None] = Field(description="What it has in common; `{}` is everything that was asked for.")


class PortfolioComparison(BaseModel):
    """One comparison a group."""

    model_config = ConfigDict(json_schema_extra={"example": PORTFOLIO_COMPARISON})

    window: str
    method: str
    groups: list[GroupComparison]
