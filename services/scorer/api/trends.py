"""Trends: the rolling figures seen from the end of each calendar bucket, with context events as marks."""

from collections.abc import Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from services.scorer.api.naming import bucket_names, named
from services.scorer.api.parameters import AccountId, AsOf, ScoreQuery
from services.scorer.api.portfolio import PortfolioQuery
from services.scorer.api.resources import Resources
from services.scorer.domain.account import account_figures
from services.scorer.domain.answers import History
from services.scorer.domain.buckets import MAX_POINTS, Bucket, Interval, buckets
from services.scorer.domain.categories import SurveyType, category_or_none
from services.scorer.domain.windows import Span, parse_window
from services.scorer.store.reading.account import account_facts
from services.scorer.store.reading.portfolio import portfolio_figures
from services.scorer.store.reading.trend import context_marks, merge_marks
from shared.api.portfolio import AccountTrend, PortfolioTrend
from shared.http.auth import Reader
from shared.http.query import Parameters, no_repeats
from shared.http.routing import Router

MOST_ANSWERS = 1_000
MICROSECOND = timedelta(microseconds=1)
router = Router(tags=["trends"], dependencies=[Depends(no_repeats)])


class Buckets(Parameters):
    """Which points."""

    interval: Interval = Field(
        default="month", description="Calendar buckets in UTC; weeks are ISO weeks, from Monday."
    )
    points: int = Field(default=12, ge=1, le=MAX_POINTS, description="How many buckets, the last one holding as_of.")


class AccountTrendQuery(ScoreQuery, Buckets):
    """Points, and what is asked of each."""

    answers: bool = Field(default=False, description="With the answers given in the time of the points.")


class PortfolioTrendQuery(PortfolioQuery, Buckets):
    """Points, and what is asked of each."""


@router.get("/v1/accounts/{account_id}/trend", response_model=AccountTrend, response_model_exclude_unset=True)
async def get_account_trend(
    caller: Reader, resources: Resources, account_id: AccountId, asked: Annotated[AccountTrendQuery, Query()]
) -> dict[str, Any]:
    """The rolling figures of an account over time: each point is the account's score with as_of = the last microsecond
    of its bucket, which is its `to`; the last point is the score as of now, or as_of where it was sent."""
    window, filters = parse_window(asked.window), asked.filters()
    found = buckets(asked.interval, asked.points, resources.moment(asked.as_of))
    async with resources.database.read() as tx:
        facts = await account_facts(
            tx,
            account_id,
            caller.owner_email,
            filters,
            answers=Span(window.earliest(found[0].as_of), found[-1].as_of),
            invitations=Span(window.span(found[0].as_of).after, found[-1].as_of),
        )
        marks = await context_marks(
            tx, filters, caller.owner_email, found[0].start, found[-1].as_of, account_id=account_id
        )
        merges = await merge_marks(tx, account_id, found[0].start, found[-1].as_of)
    points = []
    for bucket in found:
        names = bucket_names(bucket.start, _end(bucket, asked.as_of), asked.method)
        points.append(names | account_figures(facts, window, asked.method, bucket.as_of, asked.survey_type))
    body: dict[str, Any] = {"points": points, "marks": sorted([*marks, *merges], key=itemgetter("at"))}
    if asked.answers:
        body["answers"] = _answers_between(facts.history, found, asked.survey_type)
    return named(body, account_id=account_id, **_question(asked))


@router.get("/v1/portfolio/trend", response_model=PortfolioTrend, response_model_exclude_unset=True)
async def get_portfolio_trend(
    caller: Reader, resources: Resources, asked: Annotated[PortfolioTrendQuery, Query()]
) -> dict[str, Any]:
    """The rolling figures of the portfolio over time, once a method: each point is its score with as_of = the last
    microsecond of its bucket, which is its `to`; the last point is the score as of now, or as_of where it was sent."""
    found = buckets(asked.interval, asked.points, resources.moment(asked.as_of))
    async with resources.database.read() as tx:
        question = await asked.question(tx, caller.owner_email, [bucket.as_of for bucket in found])
        figures = await portfolio_figures(tx, question, asked.methods())
        marks = await context_marks(tx, question.filters, caller.owner_email, found[0].start, found[-1].as_of)
    points = []
    for figure in figures:
        bucket = found[figure.point]
        points.append(bucket_names(bucket.start, _end(bucket, asked.as_of), figure.method) | figure.figures)
    return named({"points": points, "marks": marks}, **_question(asked))


def _question(asked: AccountTrendQuery | PortfolioTrendQuery) -> dict[str, Any]:
    return {
        "interval": asked.interval,
        "window": asked.window,
        "survey_type": asked.survey_type,
        "as_of": asked.as_of,
    }


def _end(bucket: Bucket, as_of: AsOf) -> Any:
    """The last bucket ends at as_of where it was sent; otherwise at its own end, so that no clock shows."""
    if as_of is None:
        return bucket.end
    return bucket.as_of


def _answers_between(history: History, found: Sequence[Bucket], survey_type: SurveyType) -> list[dict[str, Any]]:
    """The last answers in the time of the points, oldest first."""
    given = history.within(Span(found[0].start - MICROSECOND, found[-1].as_of))
    return [
        {
            "response_id": answer.response_id,
            "stakeholder_id": answer.stakeholder_id,
            "answered_at": answer.answered_at,
            "score": answer.score,
            "category": category_or_none(survey_type, answer.score),
        }
        for answer in given[-MOST_ANSWERS:]
    ]
