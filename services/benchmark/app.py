"""Composition root of the benchmark service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.benchmark import READS, SCHEMA
from services.benchmark.api import ROUTERS
from services.benchmark.api.resources import Benchmarking
from services.benchmark.consumer import HANDLERS
from services.benchmark.gateways.alerting import Alerting
from services.benchmark.gateways.scorer import Scorer
from services.benchmark.handlers.cohorts import Cohorts
from services.benchmark.handlers.comparisons import Comparisons
from services.benchmark.handlers.funnels import Funnels
from services.benchmark.handlers.maturity import Maturity
from services.benchmark.handlers.reviews import Reviews
from services.benchmark.settings import BenchmarkSettings
from shared.clock import Clock, SystemClock
from shared.db.engine import Database
from shared.http import parked
from shared.http.app import create_app
from shared.runtime import Plumbing
from shared.settings import CommonSettings


def build(
    common: CommonSettings | None = None,
    clock: Clock | None = None,
    scorer: Scorer | None = None,
    alerting: Alerting | None = None,
) -> FastAPI:
    """The service as an application; settings come from the environment where they are not given."""
    clock = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings = BenchmarkSettings.load()
        async with Plumbing.open(SCHEMA, common or CommonSettings.load(), clock) as plumbing:
            figures = scorer or Scorer(settings.scorer_url)
            follow_ups = alerting or Alerting(settings.alerting_url)
            app.state.plumbing = plumbing
            app.state.service = use_cases(plumbing.database, clock, settings, figures, follow_ups)
            plumbing.runner(READS, HANDLERS)
            try:
                yield
            finally:
                await figures.close()
                await follow_ups.close()

    return create_app(
        SCHEMA,
        "Tellback benchmark",
        "Where an account or an industry stands: against its own past first, then against published benchmarks.",
        (*ROUTERS, parked.router_for()),
        lifespan,
        clock=clock,
    )


def use_cases(
    database: Database, clock: Clock, settings: BenchmarkSettings, scorer: Scorer, alerting: Alerting
) -> Benchmarking:
    """What the routes work with."""
    comparisons = Comparisons(database, scorer, clock, settings.few_voices)
    return Benchmarking(
        comparisons=comparisons,
        cohorts=Cohorts(database),
        funnels=Funnels(scorer, settings.few_invitations),
        maturity=Maturity(database, scorer, alerting, clock),
        reviews=Reviews(database, scorer, alerting, comparisons, clock),
        opening=asyncio.Semaphore(1),
    )
