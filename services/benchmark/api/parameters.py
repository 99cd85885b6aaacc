"""Query parameters that several routes take."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from services.benchmark.api.models_sets import ONE_LINE
from shared.events.directory import StakeholderType, Tier
from shared.events.responses import Channel, NpsKind
from shared.http.params import EARLIEST_YEAR as LOWEST_YEAR
from shared.http.params import LATEST_YEAR, Instant
from shared.http.query import Parameters, plain_text
from shared.industries import canonical_industry

EARLIEST_YEAR = LOWEST_YEAR + 10
"""Before the moment asked about lie the windows that the scorer is asked for."""
MAX_DAYS = 1_100


def _window(text: str) -> str:
    if text != "all" and int(text[:-1]) > MAX_DAYS:
        raise PydanticCustomError("invalid_window", f"must be all or a number of days from 1d to {MAX_DAYS}d")
    return text


def _in_range(moment: datetime) -> datetime:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise PydanticCustomError("invalid_time", f"must lie between the years {EARLIEST_YEAR} and {LATEST_YEAR}")
    return moment


Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE), AfterValidator(plain_text)]
WindowName = Annotated[
    str,
    Field(pattern=r"^([1-9][0-9]{0,3}d|all)$", description="`Nd` up to 1,100 days, or `all`.", examples=["365d"]),
    AfterValidator(_window),
]
StandardWindow = Literal["7d", "30d", "90d", "180d", "365d", "all"]
Moment = Annotated[Instant, AfterValidator(_in_range)]
Year = Annotated[int | None, Query(ge=2000, le=2100, description="Of this year; default the newest.")]
Source = Annotated[Text | None, Query(description="Of this source; default the one loaded last.")]


class AccountFilters(Parameters):
    """Which accounts."""

    industry: Text | None = Field(default=None, description="Only accounts of this industry: slug, name or synonym.")
    tier: Tier | None = Field(default=None, description="Only accounts of this tier.")
    region: Text | None = Field(default=None, description="Only accounts of this region.")
    owner: Text | None = Field(default=None, description="Only accounts of this owner (e-mail address).")


class AnswerFilters(AccountFilters):
    """Which answers, as the scorer takes them."""

    stakeholder_type: StakeholderType | None = Field(default=None, description="Only answers of people of this type.")
    nps_kind: NpsKind | None = Field(default=None, description="Only answers of this kind.")
    touchpoint: Text | None = Field(default=None, description="Only answers at this touchpoint.")
    product: Text | None = Field(default=None, description="Only answers about this product.")
    channel: Channel | None = Field(default=None, description="Only answers by this channel.")
    survey_id: Text | None = Field(default=None, description="Only answers to this survey.")


FILTERS = tuple(AnswerFilters.model_fields)


def filters_of(asked: AccountFilters) -> dict[str, str]:
    """The filters that were given, for the scorer; an industry as its slug."""
    given = {}
    for name in FILTERS:
        value = getattr(asked, name, None)
        if value is not None:
            given[name] = value
    if "industry" in given:
        given["industry"] = canonical_industry(given["industry"])
    return given


async def authorization(request: Request) -> str:
    """The header that shows the caller's key."""
    return request.headers["authorization"]


Authorization = Annotated[str, Depends(authorization)]
