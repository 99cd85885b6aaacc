"""Puts the review pack of an account together: asked of the scorer and of alerting with the caller's own key."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from services.benchmark.domain import reviews as rules
from services.benchmark.domain.reviews import Audience
from services.benchmark.gateways.alerting import Alerting
from services.benchmark.gateways.scorer import Scorer
from services.benchmark.handlers.comparisons import ComparisonQuestion, Comparisons
from services.benchmark.store.accounts import Account, account, names_within
from shared.clock import Clock
from shared.db.engine import Database
from shared.errors import Invalid
from shared.industries import NAMES

QUARTER = timedelta(days=91)
MOST_FOLLOW_UPS = 200
LOOK_BACK = {"interval": "quarter", "points": 12}
"""How far back the last review is looked for."""


@dataclass(frozen=True, slots=True)
class ReviewQuestion:
    """Of which account, from when to when, for whom. `since` None: since the last review; `upto` None: until now."""

    authorization: str
    account_id: str
    since: datetime | None
    upto: datetime | None
    audience: Audience
    window: str
    owner_email: str | None


@dataclass(frozen=True, slots=True)
class Period:
    """(since, upto]; `last_review` is None where none is known."""

    since: datetime
    upto: datetime
    last_review: datetime | None


class Reviews:
    """Asks the other services."""

    def __init__(
        self, database: Database, scorer: Scorer, alerting: Alerting, comparisons: Comparisons, clock: Clock
    ) -> None:
        self._database = database
        self._scorer = scorer
        self._alerting = alerting
        self._comparisons = comparisons
        self._clock = clock

    async def of(self, question: ReviewQuestion) -> dict[str, Any]:
        """The pack. Raises `NotFound`, also for accounts that are not the caller's, and `Unavailable`."""
        upto = question.upto or self._clock.now()
        trend = await self._scorer.account_trend(
            question.authorization, question.account_id, {**LOOK_BACK, "window": question.window, "as_of": upto}
        )
        period = _period(question, trend["marks"], upto)
        scores, words, deeds, comparison = await asyncio.gather(
            self._scores(question, period),
            self._words(question, period),
            self._deeds(question, period),
            self._comparison(question, period),
        )
        async with self._database.read() as tx:
            known = await account(tx, question.account_id)
        pack = {
            "account": _account(question, known),
            "audience": question.audience,
            "period": {"from": period.since, "to": period.upto, "last_review_at": period.last_review},
            "window": question.window,
            "scores": scores,
            **words,
            **deeds,
            "events": _events(trend["marks"], period, question.audience),
            "comparison": comparison,
        }
        pack["warnings"] = [*words["warnings"], *deeds["warnings"]]
        if question.audience == "internal":
            return pack
        return await self._for_client(pack, question, known)

    async def _scores(self, question: ReviewQuestion, period: Period) -> list[dict[str, Any]]:
        """A line for everybody, then one for each type of people who answered: at the beginning and at the end."""
        ask = partial(self._scorer.account_score, question.authorization, question.account_id)

        async def score_line(stakeholder_type: str | None) -> dict[str, Any]:
            query = {"window": question.window, "stakeholder_type": stakeholder_type}
            then, now = await asyncio.gather(ask(query | {"as_of": period.since}), ask(query | {"as_of": period.upto}))
            return rules.score_line(stakeholder_type, then, now)

        everybody, *by_type = await asyncio.gather(*map(score_line, (None, *rules.TYPES)))
        return [everybody, *filter(_has_answers, by_type)]

    async def _words(self, question: ReviewQuestion, period: Period) -> dict[str, Any]:
        """What changed and what was said."""
        of_account = {"account_id": question.account_id}
        (changes, more_changes), (answers, more_answers), (people, _) = await asyncio.gather(
            self._scorer.changes(
                question.authorization, of_account | {"since": period.since, "until": period.upto, "sort": "changed_at"}
            ),
            self._scorer.responses(
                question.authorization, of_account | {"from": period.since, "to": period.upto, "sort": "answered_at"}
            ),
            self._scorer.people(question.authorization, question.account_id),
        )
        by_id = {person["stakeholder_id"]: person for person in people}
        changed, said = [], []
        for change in changes:
            if _is_within(period, change["changed_at"]):
                changed.append(_only(change, rules.OF_CHANGE))
        for answer in answers:
            if _is_within(period, answer["answered_at"]):
                said.append(rules.said(answer, by_id))
        warnings = []
        if more_changes:
            warnings.append("changes_cut_short")
        if more_answers:
            warnings.append("answers_cut_short")
        return {"changes": changed, "said": said, "warnings": warnings}

    async def _deeds(self, question: ReviewQuestion, period: Period) -> dict[str, Any]:
        """What was done, what was promised, and what is open."""
        listed, cut_short = await self._alerting.follow_ups(
            question.authorization, question.account_id, MOST_FOLLOW_UPS
        )
        concerned = []
        for follow_up in listed:
            if rules.is_for(question.audience, follow_up) and _concerns(period, follow_up):
                concerned.append(follow_up["follow_up_id"])
        done, promised, open_points = [], [], []
        for follow_up in await self._alerting.details(question.authorization, concerned):
            deed = rules.deed(follow_up, question.audience)
            if follow_up["closed_at"] is None:
                open_points.append(deed)
            else:
                done.append(deed)
            if follow_up["promise"] is not None:
                promised.append(deed)
        warnings = []
        if cut_short:
            warnings.append("follow_ups_cut_short")
        return {"done": done, "promised": promised, "open_points": open_points, "warnings": warnings}

    async def _comparison(self, question: ReviewQuestion, period: Period) -> dict[str, Any]:
        asked = ComparisonQuestion(
            authorization=question.authorization,
            window=question.window,
            method="latest",
            as_of=question.upto,
            filters={},
            owner_email=question.owner_email,
        )
        comparison = await self._comparisons.of_account(question.account_id, asked)
        if question.audience == "client":
            comparison |= dict.fromkeys(rules.NOT_FOR_CLIENTS)
        return comparison

    async def _for_client(
        self, pack: dict[str, Any], question: ReviewQuestion, known: Account | None
    ) -> dict[str, Any]:
        async with self._database.read() as tx:
            names = await names_within(tx, rules.words_of(pack), but=question.account_id)
        own_name = None
        if known is not None:
            own_name = known.name
        cleaned: dict[str, Any] = rules.without_names(pack, names, own_name)
        return cleaned


def _period(question: ReviewQuestion, marks: list[Mapping[str, Any]], upto: datetime) -> Period:
    """As asked; else since the last review, else of a quarter. Raises Invalid."""
    last = rules.last_review(marks, upto)
    since = question.since or last or upto - QUARTER
    if since >= upto:
        detail = "from must be earlier than to"
        raise Invalid("from_after_to", detail, errors=[{"field": "from", "code": "from_after_to", "detail": detail}])
    return Period(since, upto, last)


def _has_answers(line: Mapping[str, Any]) -> bool:
    return bool(line["then"]["response_count"] or line["now"]["response_count"])


def _is_within(period: Period, moment: str | None) -> bool:
    return rules.happened(moment, period.since, period.upto)


def _concerns(period: Period, follow_up: Mapping[str, Any]) -> bool:
    """Whether it was closed in the period, or is still open and was opened before the period's end."""
    if follow_up["closed_at"] is None:
        return datetime.fromisoformat(follow_up["opened_at"]) <= period.upto
    return _is_within(period, follow_up["closed_at"])


def _only(item: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: item[name] for name in names}


def _events(marks: list[Mapping[str, Any]], period: Period, audience: Audience) -> list[dict[str, Any]]:
    """The marks in the period; a client does not see their labels, which are notes of our own."""
    names = ["kind", "at"]
    if audience == "internal":
        names.append("label")
    return [_only(mark, names) for mark in marks if _is_within(period, mark["at"])]


def _account(question: ReviewQuestion, known: Account | None) -> dict[str, Any]:
    """Who the pack is about; to a client nothing of how we rank or price them."""
    shown: dict[str, Any] = {"account_id": question.account_id}
    if known is None:
        return shown | {"name": None, "industry": None, "industry_name": None, "owner": None, "sponsor": None}
    shown |= {
        "name": known.name,
        "industry": known.industry,
        "industry_name": known.industry and NAMES.get(known.industry, known.industry),
        "owner": _contact(known.owner_name, known.owner_email),
        "sponsor": _contact(known.sponsor_name, known.sponsor_email),
    }
    if question.audience == "client":
        return shown
    revenue = None
    if known.revenue_amount is not None:
        revenue = {"amount": known.revenue_amount, "currency": known.revenue_currency}
    return shown | {
        "tier": known.tier,
        "region": known.region,
        "class": known.account_class,
        "renewal_on": known.renewal_on,
        "annual_revenue": revenue,
    }


def _contact(name: str | None, email: str | None) -> dict[str, str | None] | None:
    if name is None and email is None:
        return None
    return {"name": name, "email": email}
