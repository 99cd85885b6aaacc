"""Composition root of outreach."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.outreach import READS, SCHEMA
from services.outreach.api import business_reviews, survey_templates, surveys
from services.outreach.api.resources import Outreach
from services.outreach.consumer import HANDLERS
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.benchmark import Benchmark
from services.outreach.handlers.review_reminders import ReviewReminders
from services.outreach.handlers.reviews import Reviews
from services.outreach.jobs.review_reminders import review_reminders
from services.outreach.settings import OutreachSettings
from shared.clock import Clock, SystemClock
from shared.http.app import create_app
from shared.http.client import Api, Services
from shared.http.parked import router as parked
from shared.runtime import Plumbing
from shared.settings import CommonSettings

DESCRIPTION = """Brings questions to people: surveys, personal links, the page on which people answer, and business
reviews."""


def build(
    common: CommonSettings | None = None,
    clock: Clock | None = None,
    benchmark: Benchmark | None = None,
    services: Services | None = None,
) -> FastAPI:
    """The application of outreach; its lifespan opens and closes everything it needs."""
    common = common or CommonSettings.load()
    clock = clock or SystemClock()
    settings = OutreachSettings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Plumbing.open(SCHEMA, common, clock) as plumbing:
            app.state.plumbing = plumbing
            packs = benchmark or Benchmark(settings.benchmark_url)
            asked = services or Services({"scorer": settings.scorer_url, "alerting": settings.alerting_url})
            tokens = Tokens([common.secret_key.get_secret_value()])
            reviews = Reviews(plumbing.database, packs, tokens, clock)
            app.state.service = Outreach(plumbing.database, clock, settings, tokens, reviews)
            plumbing.runner(READS, HANDLERS)
            if settings.api_key is not None:
                api = Api(asked, settings.api_key.get_secret_value())
                plumbing.start(review_reminders(ReviewReminders(plumbing.database, clock, api)))
            try:
                yield
            finally:
                await packs.close()
                await asked.close()

    return create_app(
        SCHEMA,
        "Tellback outreach",
        DESCRIPTION,
        (survey_templates.router, surveys.router, business_reviews.router, parked),
        lifespan,
        clock=clock,
    )
