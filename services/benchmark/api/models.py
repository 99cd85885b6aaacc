"""Answers of the benchmark API."""

from typing import Any

from pydantic import BaseModel, Field


class ChosenBenchmark(BaseModel):
    """One published figure with where it comes from."""

    set: str = Field(description="The set it belongs to.", examples=["clientshare-2026"])
    source: str = Field(examples=["Clientshare"])
    year: int = Field(examples=[2026])
    industry: str = Field(description="Slug of the industry.", examples=["logistics"])
    nps: float = Field(description="−100 to 100.", examples=[41.0])
    n: int | None = Field(None, description="Answers behind it; null where the source does not say.")
    method: str | None = Field(None, description="How it was computed; null where the source does not say.")
    region: str | None = None
    note: str | None = None


class PublishedBenchmark(ChosenBenchmark):
    """The same in a list, with the industry's name."""

    industry_name: str = Field(description="The industry's name for people.", examples=["Logistics"])


class PastPoint(BaseModel):
    """Our own figure at an earlier time."""

    nps: float | None = Field(description="The NPS then; null when nothing counted.")
    response_count: int = Field(description="Answers that counted then.")
    change: float | None = Field(description="Points since then.")


class Past(BaseModel):
    """Our own past: 30, 91 and 365 days before."""

    month: PastPoint
    quarter: PastPoint
    year: PastPoint


class ComparisonModel(BaseModel):
    """Where a figure stands: own past first, then the industry."""

    window: str = Field(examples=["365d"])
    method: str = Field(examples=["latest"])
    industry: str | None = Field(None, description="Slug of the industry compared with.")
    figures: dict[str, Any] = Field(description="The figures of the scorer, with interval and voices.")
    benchmark: ChosenBenchmark | None = Field(None, description="Null where none is published.")
    gap: float | None = Field(None, description="Own NPS minus the benchmark's.")
    own_change: float | None = Field(None, description="Own NPS minus that of a year ago.")
    benchmark_change: float | None = Field(None, description="The benchmark minus that of the year before.")
    past: Past
    percentile: float | None = Field(None, description="Where a distribution is published; else null.")
    warnings: list[str] = Field(default_factory=list, examples=[["few_voices"]])
    sentence: str = Field(examples=["+38 from 24 people, up 6 on last year while the industry gained 9."])


class AccountComparison(ComparisonModel):
    """The comparison of one account."""

    account_id: str = Field(examples=["acme"])


class GroupComparison(ComparisonModel):
    """The comparison of one group of the portfolio."""

    group: dict[str, str | None] = Field(examples=[{"industry": "logistics"}])


class PortfolioComparison(BaseModel):
    """One comparison a group."""

    window: str
    groups: list[GroupComparison]
