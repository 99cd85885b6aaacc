"""The route of the response funnel."""

from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from services.benchmark.api.parameters import AccountFilters, Authorization, Moment, Text, WindowName, filters_of
from services.benchmark.api.resources import Resources
from shared.api.benchmark_funnel import Funnel
from shared.events.directory import StakeholderType
from shared.events.responses import Channel
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


class FunnelQuery(AccountFilters):
    """Which invitations."""

    stakeholder_type: StakeholderType | None = Field(
        default=None, description="Only invitations of people of this type."
    )
    channel: Channel | None = Field(default=None, description="Only invitations by this channel.")
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
    names = [GROUPS.get(name.strip(), "") for name in group_by.split(",")]
    if "" in names or len(set(names)) != len(names) or len(names) > 2:
        raise refused("group_by", "invalid_group", f"must be one or two of {', '.join(GROUPS)}, by a comma")
    return ",".join(names)
