"""The self-assessment: its questions with what the system knows already, its results, and keeping them."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.benchmark.domain.maturity import assess
from services.benchmark.domain.maturity_questions import COVERAGE, FIRST_TOUCH, LOOP, REGULARITY, RESPONSE
from services.benchmark.gateways.alerting import Alerting
from services.benchmark.gateways.scorer import Scorer
from services.benchmark.store import assessments
from services.benchmark.store.assessments import Assessment
from shared.clock import Clock
from shared.db.engine import Database
from shared.errors import Forbidden, NotFound, TellbackError, TooMany, Unavailable
from shared.ids import uuid7

YEAR = timedelta(days=365)
MONTHS = 12
NOT_KNOWN = (Unavailable, Forbidden, NotFound, TooMany)


@dataclass(frozen=True, slots=True)
class Measured:
    """Name of a measure → its value, None where nothing is known; `warnings` say what could not be asked."""

    values: Mapping[str, float | None]
    warnings: tuple[str, ...] = ()


class Maturity:
    """Asks the other services and keeps assessments."""

    def __init__(self, database: Database, scorer: Scorer, alerting: Alerting, clock: Clock) -> None:
        self._database = database
        self._scorer = scorer
        self._alerting = alerting
        self._clock = clock

    async def measured(self, authorization: str) -> Measured:
        """What the system knows of the caller's accounts. A service that does not answer is named in the warnings."""
        since = self._clock.now() - YEAR
        months = {"interval": "month", "window": "30d", "points": MONTHS}
        questions: dict[str, Awaitable[dict[str, Any]]] = {
            "score": self._scorer.portfolio_score(authorization, {"window": "365d"}),
            "trend": self._scorer.portfolio_trend(authorization, months),
            "loop": self._alerting.summary(authorization, {"opened_since": since}),
        }
        told = dict(zip(questions, await asyncio.gather(*map(_or_error, questions.values())), strict=True))
        values: dict[str, float | None] = {}
        warnings = []
        for name, answer in told.items():
            service, figures_of = _READ[name]
            if isinstance(answer, TellbackError):
                warnings.append(f"not_measured:{service}")
            else:
                values |= figures_of(answer)
        return Measured(values, tuple(sorted(set(warnings))))

    async def assess(
        self, authorization: str, given: Mapping[str, int], *, prefill: bool, owner_email: str | None, by: str
    ) -> Assessment:
        """Work out the result and keep it."""
        measured = Measured({})
        if prefill:
            measured = await self.measured(authorization)
        result = assess(given, measured.values)
        result["warnings"] += measured.warnings
        kept = Assessment(uuid7(), dict(given), result, self._clock.now(), by)
        async with self._database.write() as tx:
            await assessments.keep(tx, kept, owner_email)
        return kept

    async def latest(self, owner_email: str | None) -> tuple[Assessment, Assessment | None]:
        """(the last assessment, the one before it). Raises NotFound."""
        async with self._database.read() as tx:
            newest = await assessments.newest(tx, owner_email, limit=2)
        if not newest:
            raise NotFound("no_assessment", "nobody has answered the questions yet")
        if len(newest) == 1:
            return newest[0], None
        return newest[0], newest[1]

    async def listed(
        self, owner_email: str | None, limit: int, after: tuple[datetime, UUID] | None
    ) -> list[Assessment]:
        """Assessments, the newest first."""
        async with self._database.read() as tx:
            return list(await assessments.newest(tx, owner_email, limit=limit, after=after))


async def _or_error(question: Awaitable[dict[str, Any]]) -> dict[str, Any] | TellbackError:
    try:
        return await question
    except NOT_KNOWN as error:
        return error


def _of_score(told: Mapping[str, Any]) -> dict[str, float | None]:
    (figures,) = told["groups"]
    accounts = figures["coverage"]["accounts"]
    known, asked = accounts["known"], accounts["asked"]
    coverage = None
    if known:
        coverage = min(1.0, asked / known)
    return {COVERAGE.name: coverage, RESPONSE.name: figures["response_rate"]}


def _of_trend(told: Mapping[str, Any]) -> dict[str, float | None]:
    """Months whose last 30 days hold an answer."""
    return {REGULARITY.name: float(sum(point["response_count"] > 0 for point in told["points"]))}


def _of_loop(told: Mapping[str, Any]) -> dict[str, float | None]:
    (figures,) = told["groups"] or [{}]
    return {
        LOOP.name: figures.get("closed_loop_rate"),
        FIRST_TOUCH.name: figures.get("median_hours_to_first_touch"),
    }


_READ = {"score": ("scorer", _of_score), "trend": ("scorer", _of_trend), "loop": ("alerting", _of_loop)}
"""Question → the service that answers it, and what is read from its answer."""
