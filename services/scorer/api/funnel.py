"""The invitation funnel of the portfolio."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from services.scorer.api.naming import named
from services.scorer.api.parameters import AsOf, DirectoryFilters, Text, WindowName, checked, groups_of
from services.scorer.api.resources import Resources
from services.scorer.domain.questions import ASKABLE
from services.scorer.domain.windows import parse_window
from services.scorer.store.reading.classes import class_names
from services.scorer.store.reading.freshness import stale_accounts
from services.scorer.store.reading.funnel import funnel_groups
from services.scorer.store.reading.question import Question
from shared.api.reach import PortfolioFunnel
from shared.events.responses import Channel
from shared.http.auth import Reader
from shared.http.query import no_repeats
from shared.http.routing import Router

router = Router(tags=["portfolio"], dependencies=[Depends(no_repeats)])


_groups = partial(groups_of, known=ASKABLE)


class FunnelQuery(DirectoryFilters):
    """Which invitations: those sent in the window, by attributes that invitations have."""

    window: WindowName = "90d"
    as_of: AsOf = None
    channel: Channel | None = Field(default=None, description="Only invitations by this channel.")
    survey_id: Text | None = Field(default=None, description="Only invitations to this survey.")
    group_by: Annotated[str, checked(_groups)] | None = Field(
        default=None, description=f"One or two, by a comma, of {', '.join(ASKABLE)}.", examples=["owner"]
    )


@router.get("/v1/portfolio/funnel", response_model=PortfolioFunnel, response_model_exclude_unset=True)
async def get_portfolio_funnel(
    caller: Reader, resources: Resources, asked: Annotated[FunnelQuery, Query()]
) -> dict[str, Any]:
    """How far the invitations sent in a window came: sent, delivered, opened, begun, answered, bounced.

    Without group_by there is exactly one group `{}`, also when nobody was asked; with it there are the groups in which
    somebody was, and what has no value is the group null.
    """
    as_of = resources.moment(asked.as_of)
    question = Question(
        parse_window(asked.window),
        asked.filters(),
        [as_of],
        split=_groups(asked.group_by),
        owner_email=caller.owner_email,
    )
    async with resources.database.read() as tx:
        if asked.as_of is None:
            question = replace(question, stale=await stale_accounts(tx, as_of))
        if "class" in question.split:
            classes = await class_names(tx, as_of, resources.settings.thresholds(), question.stale)
            question = replace(question, classes=classes)
        groups = await funnel_groups(tx, question)
    return named({"groups": groups}, window=asked.window, as_of=asked.as_of)
