"""The portfolio: figures over all accounts of the caller, split and rolled up as asked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from services.scorer.api.naming import named
from services.scorer.api.parameters import (
    AnswerFilters,
    AsOf,
    Currency,
    Groups,
    Methods,
    WindowName,
    groups_of,
    methods_of,
)
from services.scorer.api.resources import Resources
from services.scorer.domain.answers import Method
from services.scorer.domain.questions import GROUPS
from services.scorer.domain.windows import parse_window
from services.scorer.store.reading.classes import class_names
from services.scorer.store.reading.freshness import count_failing, stale_accounts
from services.scorer.store.reading.portfolio import default_currency, portfolio_figures
from services.scorer.store.reading.question import Question
from shared.api.portfolio import PortfolioScore
from shared.db.transaction import ReadTx
from shared.http.auth import Reader
from shared.http.query import no_repeats
from shared.http.routing import Router

router = Router(tags=["portfolio"], dependencies=[Depends(no_repeats)])


class PortfolioQuery(AnswerFilters):
    """Window, methods, moment and filters of the portfolio's figures."""

    window: WindowName = "90d"
    method: Methods = "latest"
    as_of: AsOf = None
    currency: Currency = None

    def methods(self) -> tuple[Method, ...]:
        """The methods as asked."""
        return methods_of(self.method)

    async def question(
        self, tx: ReadTx, owner_email: str | None, moments: Sequence[datetime], split: tuple[str, ...] = ()
    ) -> Question:
        """The question as the store takes it."""
        filters = self.filters()
        currency = self.currency or await default_currency(tx, filters, owner_email)
        stale = None
        if self.as_of is None:
            stale = await stale_accounts(tx, moments[-1])
        return Question(
            parse_window(self.window),
            filters,
            moments,
            split=split,
            owner_email=owner_email,
            currency=currency,
            stale=stale,
        )


class PortfolioScoreQuery(PortfolioQuery):
    """Which accounts, window and method, and by what the score is split."""

    group_by: Groups | None = Field(
        default=None, description=f"One or two, by a comma, of {', '.join(GROUPS)}.", examples=["industry"]
    )


@router.get("/v1/portfolio/score", response_model=PortfolioScore, response_model_exclude_unset=True)
async def get_portfolio_score(
    caller: Reader, resources: Resources, asked: Annotated[PortfolioScoreQuery, Query()]
) -> dict[str, Any]:
    """Figures over all accounts, one a group and method.

    Without group_by there is exactly one group `{}` a method, also when nothing counts. With it there are the
    groups in which something counts; they split the respondents that the method picked, so that they add up to the
    whole. What has no value is the group null.
    """
    as_of = resources.moment(asked.as_of)
    split, failing = groups_of(asked.group_by), 0
    async with resources.database.read() as tx:
        question = await asked.question(tx, caller.owner_email, [as_of], split)
        if "class" in split:
            classes = await class_names(tx, as_of, resources.settings.thresholds(), question.stale)
            question = replace(question, classes=classes)
        figures = await portfolio_figures(tx, question, asked.methods())
        if asked.as_of is None:
            failing = await count_failing(tx, caller.owner_email)
    groups = [{"group": group.group, "method": group.method} | group.figures for group in figures]
    names = {"window": asked.window, "survey_type": asked.survey_type, "as_of": asked.as_of}
    return named({"groups": groups}, **names, stale_account_count=failing or None)
