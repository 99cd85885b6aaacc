"""Routes of comparisons: an account, a segment, the portfolio."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import Field

from services.benchmark.api.parameters import AnswerFilters, Authorization, Moment, Text, WindowName, filters_of
from services.benchmark.api.resources import Resources
from services.benchmark.handlers.comparisons import ComparisonQuestion
from shared.access.caller import Caller
from shared.api.comparisons import AccountComparison, PortfolioComparison
from shared.http.auth import Reader
from shared.http.params import PathId
from shared.http.query import no_repeats, refused
from shared.http.routing import Router

router = Router(prefix="/v1/comparisons", tags=["comparisons"], dependencies=[Depends(no_repeats)])
GROUPS = (
    *("industry", "tier", "region", "owner", "class", "stakeholder_type", "job_level", "touchpoint", "product"),
    *("channel", "survey_id", "nps_kind"),
)


class ComparisonQuery(AnswerFilters):
    """Which figure, and what to hold it against."""

    window: WindowName = "365d"
    as_of: Moment | None = Field(default=None, description="As of this moment; default now.")
    year: int | None = Field(default=None, ge=2000, le=2100, description="Benchmark of this year, or before it.")
    source: Text | None = Field(default=None, description="Benchmark of this source; default the one loaded last.")

    def question(self, authorization: str, caller: Caller, method: str) -> ComparisonQuestion:
        """As the handler takes it."""
        return ComparisonQuestion(
            authorization=authorization,
            window=self.window,
            method=method,
            as_of=self.as_of,
            filters=filters_of(self),
            owner_email=caller.owner_email,
            year=self.year,
            source=self.source,
        )


class AccountQuery(ComparisonQuery):
    """Of one account."""

    method: Literal["latest", "all"] = Field(default="latest", description="How answers are rolled up.")


class PortfolioQuery(ComparisonQuery):
    """Of the portfolio, or of a segment where filters choose one."""

    method: Literal["latest", "all", "mean_of_accounts", "revenue_weighted"] = Field(
        default="latest", description="How answers are rolled up."
    )
    group_by: str | None = Field(
        default=None,
        max_length=60,
        description=f"One or two, by a comma, of {', '.join(GROUPS)}. With the industry among them, or chosen by the"
        " filter, each group has its benchmark; others have their own past.",
        examples=["industry"],
    )


@router.get("/accounts/{account_id}", response_model=AccountComparison, summary="An account")
async def compare_account(
    account_id: Annotated[PathId, Path(description="The account.")],
    caller: Reader,
    resources: Resources,
    authorization: Authorization,
    asked: Annotated[AccountQuery, Query()],
) -> dict[str, Any]:
    """One account against its own past, its industry, and the other accounts of the caller."""
    return await resources.comparisons.of_account(account_id, asked.question(authorization, caller, asked.method))


@router.get("/portfolio", response_model=PortfolioComparison, summary="The portfolio, or a segment")
async def compare_portfolio(
    caller: Reader, resources: Resources, authorization: Authorization, asked: Annotated[PortfolioQuery, Query()]
) -> dict[str, Any]:
    """The portfolio by group, against its own past and the published benchmarks; the filters choose a segment."""
    question = asked.question(authorization, caller, asked.method)
    return await resources.comparisons.of_portfolio(question, _groups(asked.group_by))


def _groups(group_by: str | None) -> str | None:
    if group_by is None:
        return None
    names = [name.strip() for name in group_by.split(",")]
    if not set(names) <= set(GROUPS) or len(set(names)) != len(names) or len(names) > 2:
        raise refused("group_by", "invalid_group", f"must be one or two of {', '.join(GROUPS)}, by a comma")
    return ",".join(names)
