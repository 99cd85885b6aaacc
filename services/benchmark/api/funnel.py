"""The route of the response funnel."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.benchmark.api.parameters import AccountFilters, Authorization, Moment, Text, WindowName, filters_of
from services.benchmark.api.resources import Resources
from services.benchmark.domain.funnel import yardsticks
from shared.api.reach import FUNNEL_GROUP
from shared.http.auth import Reader
from shared.http.query import no_repeats, refused
from shared.http.routing import Router

router = Router(prefix="/v1", tags=["funnel"], dependencies=[Depends(no_repeats)])
GROUPS = {
    "owner": "owner",
    "industry": "industry",
    "survey": "survey_id",
    "survey_id": "survey_id",
    "tier": "tier",
    "region": "region",
    "channel": "channel",
    "stakeholder_type": "stakeholder_type",
}
"""What a caller may split by → what the scorer calls it."""
GROUP: dict[str, Any] = FUNNEL_GROUP | {
    "recipient_count": 38,
    "level": "above_good",
    "against_review": {
        "open_rate": 0.030526315789473645,
        "response_rate": 0.017368421052631616,
        "comment_rate": 0.014210526315789451,
        "follow_up_request_rate": -0.0036842105263157905,
    },
    "warnings": [],
    "sentence": "45 % of 38 recipients answered: more than good, on the way to the 50–60 % that account managers aim"
    " at.",
}
FUNNEL: dict[str, Any] = {"window": "90d", "yardsticks": yardsticks(), "groups": [GROUP]}


class FunnelGroup(BaseModel):
    """How far the invitations of a group came. Rates run from 0 to 1, null where there is nothing to divide by."""

    model_config = ConfigDict(json_schema_extra={"example": GROUP})

    group: dict[str, str | None] = Field(description="What the invitations have in common; `{}` is all of them.")
    sent_count: int | None = Field(description="Invitations sent in the window.")
    delivered_count: int | None = Field(description="Of these, delivered.")
    opened_count: int | None = Field(description="Of these, opened.")
    started_count: int | None = Field(description="Of these, begun.")
    answered_count: int | None = Field(description="Of these, answered.")
    bounced_count: int | None = Field(description="Of these, bounced.")
    recipient_count: int | None = Field(description="Sent and not bounced: what the rates are shares of.")
    delivered_rate: float | None
    open_rate: float | None
    start_rate: float | None
    response_rate: float | None
    completion_rate: float | None = Field(description="Answered over begun.")
    bounce_rate: float | None = Field(description="Bounced over sent.")
    comment_rate: float | None
    follow_up_request_rate: float | None
    level: str | None = Field(description="Where the response rate stands among the yardsticks.")
    against_review: dict[str, float | None] = Field(description="Rate minus that of surveys with a business review.")
    warnings: list[str] = Field(description="no_invitations, few_invitations, openings_not_reported.")
    sentence: str


class Yardsticks(BaseModel):
    """Shares of recipients as the field knows them."""

    response_rate: dict[str, tuple[float, float]] = Field(description="From and to, of ordinary, good and target.")
    business_review: dict[str, float] = Field(description="Surveys sent with a business review.")
    sources: dict[str, str]


class Funnel(BaseModel):
    """The response funnel."""

    model_config = ConfigDict(json_schema_extra={"example": FUNNEL})

    window: str
    yardsticks: Yardsticks
    groups: list[FunnelGroup]


class FunnelQuery(AccountFilters):
    """Which invitations."""

    stakeholder_type: Literal["decision_maker", "user", "influencer"] | None = Field(
        default=None, description="Only invitations of people of this type."
    )
    channel: Literal["email", "link", "web", "in_app", "api", "import", "review"] | None = Field(
        default=None, description="Only invitations by this channel."
    )
    survey_id: Text | None = Field(default=None, description="Only invitations to this survey.")
    window: WindowName = "90d"
    as_of: Moment | None = Field(default=None, description="As of this moment; default now.")
    group_by: str | None = Field(
        default=None,
        max_length=60,
        description=f"One or two, by a comma, of {', '.join(GROUPS)}.",
        examples=["owner"],
    )


@router.get("/funnel", response_model=Funnel, summary="The response funnel against its yardsticks")
async def get_funnel(
    caller: Reader, resources: Resources, authorization: Authorization, asked: Annotated[FunnelQuery, Query()]
) -> dict[str, Any]:
    """How far invitations came, by owner, industry, survey and more, beside what is ordinary, good and aimed at in B2B,
    and what surveys with a business review reach. A key that is limited to an owner sees that of its accounts."""
    query = {**filters_of(asked), "window": asked.window, "as_of": asked.as_of, "group_by": _groups(asked.group_by)}
    return await resources.funnels.of(authorization, query)


def _groups(group_by: str | None) -> str | None:
    if group_by is None:
        return None
    names = [GROUPS.get(name.strip()) for name in group_by.split(",")]
    known = [name for name in names if name is not None]
    if len(known) != len(names) or len(set(known)) != len(known) or len(known) > 2:
        raise refused("group_by", "invalid_group", f"must be one or two of {', '.join(GROUPS)}, by a comma")
    return ",".join(known)
