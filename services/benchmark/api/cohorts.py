"""Routes of the own cohorts, and their export."""

import csv
import io
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Response
from pydantic import Field

from services.benchmark.api.parameters import StandardWindow, Text
from services.benchmark.api.resources import Resources
from services.benchmark.domain.cohorts import DIMENSIONS
from services.benchmark.handlers.cohorts import CohortQuestion, family_of
from shared.api.cohorts import CohortsModel
from shared.events.directory import Tier
from shared.http.auth import Reader
from shared.http.query import Parameters, no_repeats, refused
from shared.http.routing import Router
from shared.industries import canonical_industry

router = Router(prefix="/v1", tags=["cohorts"], dependencies=[Depends(no_repeats)])
COLUMNS = (
    *DIMENSIONS,
    *("hidden", "hidden_reason", "account_count", "response_count", "stakeholder_count", "nps", "promoter_percent"),
    *("passive_percent", "detractor_percent", "ci_low", "ci_high"),
)
EVERY = "*"
"""In an export: the cohort is not split by this."""


class CohortsQuery(Parameters):
    """Which cohorts."""

    window: StandardWindow = Field(default="365d", description="A standard window; it ends now.")
    method: Literal["latest", "all"] = Field(default="latest", description="How answers are rolled up.")
    group_by: str | None = Field(
        default=None,
        max_length=40,
        description="A comma list of `industry`, `tier`, `region`; default every split there is.",
        examples=["industry,tier"],
    )
    industry: Text | None = Field(default=None, description="Only cohorts of this industry: slug, name or synonym.")
    tier: Tier | None = Field(default=None, description="Only cohorts of this tier.")
    region: Text | None = Field(default=None, description="Only cohorts of this region.")

    def question(self, owner_email: str | None, *, protected: bool) -> CohortQuestion:
        """As the handler takes it. Raises Invalid."""
        values: list[tuple[str, str]] = []
        if self.industry is not None:
            values.append(("industry", canonical_industry(self.industry)))
        if self.tier is not None:
            values.append(("tier", self.tier))
        if self.region is not None:
            values.append(("region", self.region))
        family = _family(self.group_by)
        return CohortQuestion(self.window, self.method, family, tuple(values), owner_email, protected)


class ProtectedQuery(CohortsQuery):
    """The cohorts as somebody else would see them."""

    protected: bool = Field(default=False, description="As exports and keys limited to an owner show them.")


def _family(group_by: str | None) -> tuple[str, ...] | None:
    if group_by is None:
        return None
    try:
        return family_of([name.strip() for name in group_by.split(",")])
    except ValueError:
        raise refused("group_by", "invalid_group", f"must be some of {', '.join(DIMENSIONS)}, by a comma") from None


@router.get("/cohorts", response_model=CohortsModel, response_model_exclude_unset=True, summary="Own cohorts")
async def list_cohorts(
    caller: Reader, resources: Resources, asked: Annotated[ProtectedQuery, Query()]
) -> dict[str, Any]:
    """The figures of the accounts of each industry, tier and region, all crossings of these and their margins, equal to
    the portfolio figures of the scorer.

    A key that is limited to an owner sees the cohorts of all accounts, but protected: rounded, and hidden below five
    accounts, where one account gives more than 40 % of the answers, and where the difference to other cohorts would
    tell of such a group. Its own accounts stand beside them.
    """
    return await resources.cohorts.of(asked.question(caller.owner_email, protected=asked.protected))


@router.get(
    "/exports/cohorts.csv",
    summary="Own cohorts to give away",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": f"`{','.join(COLUMNS)}`"}},
)
async def export_cohorts(caller: Reader, resources: Resources, asked: Annotated[CohortsQuery, Query()]) -> Response:
    """The cohorts as CSV, always protected, so that whoever gets the file learns of no single account. `*` stands for
    every value, an empty cell for none."""
    body = await resources.cohorts.of(asked.question(caller.owner_email, protected=True))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for group in body["groups"]:
        row = {**dict.fromkeys(DIMENSIONS, EVERY), **group, **group["group"]}
        writer.writerow([_cell(row.get(name)) for name in COLUMNS])
    headers = {"content-disposition": f'attachment; filename="cohorts-{asked.window}-{asked.method}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return str(value)
