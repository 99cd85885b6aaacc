"""Compares an account or the portfolio with its own past and with published benchmarks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from services.benchmark.domain.comparison import Against, Benchmark, Own, compare, pick, voices_of
from services.benchmark.gateways.scorer import Scorer
from services.benchmark.store.accounts import account
from services.benchmark.store.benchmarks import benchmarks
from shared.clock import Clock
from shared.db.engine import Database
from shared.industries import NAMES

PAST = {"month": timedelta(days=30), "quarter": timedelta(days=91), "year": timedelta(days=365)}
"""How far back each figure of the own past lies."""
Ask = Callable[[Mapping[str, str]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Question:
    """Whose figures, as the scorer shall compute them. `as_of` is None for now."""

    authorization: str
    window: str
    method: str
    as_of: datetime | None
    year: int | None


class Comparisons:
    """Asks the scorer for figures and the store for benchmarks."""

    def __init__(self, database: Database, scorer: Scorer, clock: Clock, few_voices: int) -> None:
        self._database = database
        self._scorer = scorer
        self._clock = clock
        self._few_voices = few_voices

    async def of_account(self, account_id: str, question: Question) -> dict[str, Any]:
        """The comparison of one account. Raises `NotFound`, also for accounts that are not the caller's."""

        async def ask(query: Mapping[str, str]) -> dict[str, Any]:
            return await self._scorer.account_score(question.authorization, account_id, query)

        now, past = await self._through_time(ask, question)
        async with self._database.read() as tx:
            known = await account(tx, account_id)
            published = await benchmarks(tx)
        return {"account_id": account_id} | self._comparison(
            question, now, past, known.industry if known else None, published
        )

    async def of_portfolio(self, question: Question, group_by: str | None) -> dict[str, Any]:
        """One comparison a group; groups are those that the scorer has now."""

        async def ask(query: Mapping[str, str]) -> dict[str, Any]:
            grouped = dict(query) | ({"group_by": group_by} if group_by else {})
            return await self._scorer.portfolio_score(question.authorization, grouped)

        now, past = await self._through_time(ask, question)
        async with self._database.read() as tx:
            published = await benchmarks(tx)
        groups = []
        for figures in now["groups"]:
            group = figures["group"]
            before = {name: _same_group(answer, group) for name, answer in past.items()}
            industry = group.get("industry") if group_by == "industry" else None
            groups.append({"group": group} | self._comparison(question, figures, before, industry, published))
        return {"window": question.window, "groups": groups}

    async def _through_time(self, ask: Ask, question: Question) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The scorer's answer now and at each point of the own past, asked side by side."""
        moment = question.as_of or self._clock.now()
        query = {"window": question.window, "method": question.method}
        if question.as_of is not None:
            query["as_of"] = _stamp(question.as_of)
        earlier = [query | {"as_of": _stamp(moment - distance)} for distance in PAST.values()]
        now, *past = await asyncio.gather(ask(query), *(ask(each) for each in earlier))
        return now, dict(zip(PAST, past, strict=True))

    def _comparison(
        self,
        question: Question,
        figures: Mapping[str, Any],
        past: Mapping[str, Mapping[str, Any] | None],
        industry: str | None,
        published: Sequence[Benchmark],
    ) -> dict[str, Any]:
        today = (question.as_of or self._clock.now()).year
        against = Against()
        if industry is not None:
            current, before = pick(published, industry, question.year or today)
            against = Against(industry, NAMES.get(industry), current, before)
        before_nps = {name: then.get("nps") if then else None for name, then in past.items()}
        own = Own(figures["nps"], voices_of(figures), question.method, before_nps)
        found = compare(own, against, year=today, few_voices=self._few_voices)
        return {
            "window": question.window,
            "method": question.method,
            "industry": industry,
            "figures": figures,
            "benchmark": _shown(against.current),
            "past": {name: _point(figures["nps"], then) for name, then in past.items()},
            "percentile": None,
        } | asdict(found)


def _shown(benchmark: Benchmark | None) -> dict[str, Any] | None:
    if benchmark is None:
        return None
    shown = asdict(benchmark)
    return {"set": shown.pop("set_id")} | shown


def _point(nps: float | None, then: Mapping[str, Any] | None) -> dict[str, Any]:
    """A point of the own past: what it was, by how many voices, and how far we have come since."""
    was = then.get("nps") if then else None
    change = nps - was if nps is not None and was is not None else None
    return {"nps": was, "response_count": int(then["response_count"]) if then else 0, "change": change}


def _same_group(answer: Mapping[str, Any], group: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((figures for figures in answer["groups"] if figures["group"] == group), None)


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
