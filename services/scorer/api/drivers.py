"""What drives the score."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from services.scorer.api.naming import named
from services.scorer.api.parameters import AsOf, ChosenAnswers, Groups, WindowName, groups_of
from services.scorer.api.resources import Resources
from services.scorer.domain.drivers import Rated, drivers_of, low_up_to, tables_of
from services.scorer.domain.questions import GROUPS
from services.scorer.domain.windows import parse_window
from services.scorer.store.reading.classes import class_names
from services.scorer.store.reading.drivers import Group, rated
from services.scorer.store.reading.freshness import stale_accounts
from services.scorer.store.reading.question import Question, none_last
from shared.api.business import Drivers
from shared.http.auth import Reader
from shared.http.query import no_repeats
from shared.http.routing import Router

router = Router(tags=["drivers"], dependencies=[Depends(no_repeats)])


class DriversQuery(ChosenAnswers):
    """Which NPS answers and ratings."""

    window: WindowName = "90d"
    as_of: AsOf = None
    group_by: Groups | None = Field(
        default=None, description=f"One or two, by a comma, of {', '.join(GROUPS)}.", examples=["industry"]
    )


@router.get("/v1/drivers", response_model=Drivers, response_model_exclude_unset=True)
async def get_drivers(caller: Reader, resources: Resources, asked: Annotated[DriversQuery, Query()]) -> dict[str, Any]:
    """How people rate single attributes beside their NPS answer: the mean, the share of low ratings, the means among
    promoters, passives and detractors, and the rank correlation with NPS, the strongest first.

    A respondent is a person with an NPS answer in the window who rated the attribute in it; the latest of both counts.
    Attributes with fewer than 20 respondents are named without figures. Without group_by there is one group `{}`.
    """
    as_of = resources.moment(asked.as_of)
    question = Question(
        parse_window(asked.window),
        asked.filters(),
        [as_of],
        split=groups_of(asked.group_by),
        owner_email=caller.owner_email,
    )
    async with resources.database.read() as tx:
        if asked.as_of is None:
            question = replace(question, stale=await stale_accounts(tx, as_of))
        if "class" in question.split:
            classes = await class_names(tx, as_of, resources.settings.thresholds(), question.stale)
            question = replace(question, classes=classes)
        rows = await rated(tx, question)
    by_group: dict[Group, list[Rated]] = {}
    if not question.split:
        by_group[()] = []
    for values, rating in rows:
        by_group.setdefault(values, []).append(rating)
    low = low_up_to(tables_of(rating for _, rating in rows))
    groups = []
    for values in sorted(by_group, key=none_last):
        group = dict(zip(question.split, values, strict=True))
        groups.append({"group": group} | drivers_of(tables_of(by_group[values]), low))
    return named({"groups": groups}, window=asked.window, as_of=asked.as_of)
