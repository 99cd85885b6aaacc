"""Compares an account, a segment or the portfolio with its own past and with published benchmarks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from services.benchmark.domain.benchmarks import Benchmark, BenchmarkChoice, pick
from services.benchmark.domain.comparison import Against, Own, compare, difference, rank, voices_of
from services.benchmark.gateways.scorer import Scorer
from services.benchmark.store.accounts import account, standings
from services.benchmark.store.benchmarks import benchmarks
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import ReadTx
from shared.industries import NAMES

PAST = {"month": timedelta(days=30), "quarter": timedelta(days=91), "year": timedelta(days=365)}
"""How far back each figure of the own past lies."""
SNAPSHOT_WINDOWS = ("7d", "30d", "90d", "180d", "365d", "all")
Ask = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class ComparisonQuestion:
    """The figures to be compared, as the scorer computes them, and the benchmark to compare with. `as_of` is None for
    now."""

    authorization: str
    window: str
    method: str
    as_of: datetime | None
    filters: Mapping[str, str]
    owner_email: str | None = None
    year: int | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The industry and region of what is compared."""

    industry: str | None
    region: str | None = None


class Comparisons:
    """Asks the scorer for figures and the store for benchmarks."""

    def __init__(self, database: Database, scorer: Scorer, clock: Clock, few_voices: int) -> None:
        self._database = database
        self._scorer = scorer
        self._clock = clock
        self._few_voices = few_voices

    async def of_account(self, account_id: str, question: ComparisonQuestion) -> dict[str, Any]:
        """The comparison of one account. Raises `NotFound`, also for accounts that are not the caller's."""

        async def ask(query: Mapping[str, Any]) -> dict[str, Any]:
            return await self._scorer.account_score(question.authorization, account_id, query)

        now, past = await self._through_time(ask, question)
        async with self._database.read() as tx:
            known = await account(tx, account_id)
            published = await benchmarks(tx)
            place = Place(None)
            if known is not None:
                place = Place(known.industry, known.region)
            ranks = await self._ranks(tx, account_id, place, now["nps"], question)
        return {"account_id": account_id} | self._comparison(question, now, past, place, published) | ranks

    async def of_portfolio(self, question: ComparisonQuestion, group_by: str | None) -> dict[str, Any]:
        """One comparison a group; groups are those that the scorer has now."""

        async def ask(query: Mapping[str, Any]) -> dict[str, Any]:
            return await self._scorer.portfolio_score(question.authorization, {**query, "group_by": group_by})

        now, past = await self._through_time(ask, question)
        async with self._database.read() as tx:
            published = await benchmarks(tx)
        groups = []
        for figures in now["groups"]:
            group = figures["group"]
            before = {name: _same_group(answer, group) for name, answer in past.items()}
            chosen = {**question.filters, **group}
            place = Place(chosen.get("industry"), chosen.get("region"))
            groups.append({"group": group} | self._comparison(question, figures, before, place, published))
        return {"window": question.window, "method": question.method, "groups": groups}

    async def _through_time(
        self, ask: Ask, question: ComparisonQuestion
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The scorer's answer now and at each point of the own past, asked side by side."""
        moment = question.as_of or self._clock.now()
        query = {**question.filters, "window": question.window, "method": question.method}
        earlier = [query | {"as_of": moment - distance} for distance in PAST.values()]
        now, *past = await asyncio.gather(ask(query | {"as_of": question.as_of}), *map(ask, earlier))
        return now, dict(zip(PAST, past, strict=True))

    async def _ranks(
        self, tx: ReadTx, account_id: str, place: Place, nps: float | None, question: ComparisonQuestion
    ) -> dict[str, Any]:
        """The places among the caller's accounts, by their newest snapshots: so only for now, a standard window and
        all answers."""
        if question.as_of is not None or question.filters or question.window not in SNAPSHOT_WINDOWS:
            return {"rank": None, "rank_in_industry": None}
        ranked = await standings(tx, question.window, question.method, question.owner_email)
        others, in_industry = [], []
        for standing in ranked:
            if standing.account_id == account_id:
                continue
            others.append(standing.nps)
            if standing.industry == place.industry:
                in_industry.append(standing.nps)
        among, within = rank(nps, others), None
        if place.industry:
            within = rank(nps, in_industry)
        return {"rank": among and asdict(among), "rank_in_industry": within and asdict(within)}

    def _comparison(
        self,
        question: ComparisonQuestion,
        figures: Mapping[str, Any],
        past: Mapping[str, Mapping[str, Any] | None],
        place: Place,
        published: Sequence[Benchmark],
    ) -> dict[str, Any]:
        today = (question.as_of or self._clock.now()).year
        against = Against()
        if place.industry is not None:
            wanted = BenchmarkChoice(place.industry, question.year or today, place.region, question.source)
            against = Against(place.industry, NAMES.get(place.industry), *pick(published, wanted))
        points = {name: _point(figures["nps"], then) for name, then in past.items()}
        own = Own(
            figures["nps"],
            voices_of(figures),
            question.method,
            {name: point["nps"] for name, point in points.items()},
            place.region,
            part=bool(question.filters.keys() - {"industry", "tier", "region", "owner"}),
        )
        comparison = compare(own, against, year=today, few_voices=self._few_voices)
        return {
            "window": question.window,
            "method": question.method,
            "industry": place.industry,
            "industry_name": place.industry and NAMES.get(place.industry, place.industry),
            "figures": figures,
            "benchmark": _shown(against.current),
            "benchmark_before": _shown(against.before),
            "past": points,
        } | asdict(comparison)


def _shown(benchmark: Benchmark | None) -> dict[str, Any] | None:
    if benchmark is None:
        return None
    shown = asdict(benchmark)
    return {"set": shown.pop("set_id")} | shown


def _point(nps: float | None, then: Mapping[str, Any] | None) -> dict[str, Any]:
    """A point of the own past: what it was, by how many respondents, and how far we have come since."""
    if not then:
        then = {"response_count": 0}
    return {
        "nps": then.get("nps"),
        "response_count": int(then["response_count"]),
        "stakeholder_count": voices_of(then),
        "ci_low": then.get("ci_low"),
        "ci_high": then.get("ci_high"),
        "change": difference(nps, then.get("nps")),
    }


def _same_group(answer: Mapping[str, Any], group: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((figures for figures in answer["groups"] if figures["group"] == group), None)
