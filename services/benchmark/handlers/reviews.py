"""Puts the review pack of an account together: asked of the scorer and of alerting with the caller's own key."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.benchmark.domain import reviews as rules
from services.benchmark.domain.reviews import Audience
from services.benchmark.gateways.alerting import Alerting
from services.benchmark.gateways.scorer import Scorer
from services.benchmark.handlers.comparisons import Comparisons, Question
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
        pack["warnings"] = [name for each in (words, deeds) for name in each["warnings"]]
        return pack if question.audience == "internal" else await self._for_client(pack, question, known)

    async def _scores(self, question: ReviewQuestion, period: Period) -> list[dict[str, Any]]:
        """Everybody, then each type of people who were heard, at the beginning and at the end."""
        who = (None, *rules.TYPES)
        asked = [
            {"window": question.window, "as_of": moment, "stakeholder_type": one}
            for one in who
            for moment in (period.since, period.upto)
        ]
        told = await asyncio.gather(
            *(self._scorer.account_score(question.authorization, question.account_id, query) for query in asked)
        )
        lines = [rules.score_line(one, told[2 * place], told[2 * place + 1]) for place, one in enumerate(who)]
        return [line for line in lines if line["stakeholder_type"] is None or _heard(line)]

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
        by_id = {one["stakeholder_id"]: one for one in people}
        return {
            "changes": [
                {name: one[name] for name in rules.OF_CHANGE}
                for one in changes
                if rules.happened(one["changed_at"], period.since, period.upto)
            ],
            "said": [
                rules.said(one, by_id)
                for one in answers
                if rules.happened(one["answered_at"], period.since, period.upto)
            ],
            "warnings": [
                name
                for name, more in (("changes_cut_short", more_changes), ("answers_cut_short", more_answers))
                if more
            ],
        }

    async def _deeds(self, question: ReviewQuestion, period: Period) -> dict[str, Any]:
        """What was done, what was promised, and what is open."""
        listed, more = await self._alerting.follow_ups(question.authorization, question.account_id, MOST_FOLLOW_UPS)
        concerned = [
            one["follow_up_id"]
            for one in listed
            if rules.is_for(question.audience, one)
            and (
                rules.happened(one["closed_at"], period.since, period.upto)
                or (one["closed_at"] is None and datetime.fromisoformat(one["opened_at"]) <= period.upto)
            )
        ]
        details = await self._alerting.details(question.authorization, concerned)
        shown = [(one, rules.deed(one, question.audience)) for one in details]
        return {
            "done": [deed for one, deed in shown if one["closed_at"] is not None],
            "promised": [deed for one, deed in shown if one["promise"] is not None],
            "open_points": [deed for one, deed in shown if one["closed_at"] is None],
            "warnings": ["follow_ups_cut_short"] if more else [],
        }

    async def _comparison(self, question: ReviewQuestion, period: Period) -> dict[str, Any]:
        asked = Question(
            authorization=question.authorization,
            window=question.window,
            method="latest",
            as_of=None if question.upto is None else period.upto,
            filters={},
            owner_email=question.owner_email,
        )
        found = await self._comparisons.of_account(question.account_id, asked)
        if question.audience == "internal":
            return found
        return {name: None if name in rules.NOT_FOR_CLIENTS else value for name, value in found.items()}

    async def _for_client(
        self, pack: dict[str, Any], question: ReviewQuestion, known: Account | None
    ) -> dict[str, Any]:
        async with self._database.read() as tx:
            names = await names_within(tx, rules.words_of(pack), but=question.account_id)
        cleaned: dict[str, Any] = rules.without_names(pack, names, known.name if known else None)
        return cleaned


def _period(question: ReviewQuestion, marks: list[Mapping[str, Any]], upto: datetime) -> Period:
    """As asked; else since the last review, else of a quarter. Raises Invalid."""
    last = rules.last_review(marks, upto)
    since = question.since or last or upto - QUARTER
    if since >= upto:
        detail = "from must be earlier than to"
        raise Invalid("from_after_to", detail, errors=[{"field": "from", "code": "from_after_to", "detail": detail}])
    return Period(since, upto, last)


def _heard(line: Mapping[str, Any]) -> bool:
    return bool(line["then"]["response_count"] or line["now"]["response_count"])


def _events(marks: list[Mapping[str, Any]], period: Period, audience: Audience) -> list[dict[str, Any]]:
    """What happened in the period; its label is a note of our own."""
    names = ("kind", "at", "label") if audience == "internal" else ("kind", "at")
    return [
        {name: one[name] for name in names} for one in marks if rules.happened(one["at"], period.since, period.upto)
    ]


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
    return None if name is None and email is None else {"name": name, "email": email}
