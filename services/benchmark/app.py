"""Composition root of the benchmark service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.benchmark import READS, SCHEMA
from services.benchmark.api.routes import BenchmarkService, router
from services.benchmark.consumer import HANDLERS
from services.benchmark.gateways.scorer import Scorer
from services.benchmark.handlers.comparisons import Comparisons
from services.benchmark.settings import BenchmarkSettings
from shared.clock import Clock, SystemClock
from shared.http.app import create_app
from shared.http.parked import router as parked
from shared.runtime import Plumbing
from shared.settings import CommonSettings


def build(common: CommonSettings | None = None, clock: Clock | None = None, scorer: Scorer | None = None) -> FastAPI:
    """The service as an application; settings come from the environment where they are not given."""
    clock = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings = BenchmarkSettings.load()
        async with Plumbing.open(SCHEMA, common or CommonSettings.load(), clock) as plumbing:
            figures = scorer or Scorer(settings.scorer_url)
            comparisons = Comparisons(plumbing.database, figures, clock, settings.few_voices)
            app.state.plumbing = plumbing
            app.state.service = BenchmarkService(plumbing.database, comparisons)
            plumbing.runner(READS, HANDLERS)
            try:
                yield
            finally:
                await figures.close()

    return create_app(
        SCHEMA,
        "Tellback benchmark",
        "Where an account or an industry stands: against its own past first, then against published benchmarks.",
        (router, parked),
        lifespan,
        clock=clock,
    )
