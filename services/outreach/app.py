"""Composition root of outreach."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
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
from services.outreach.api import asks, erasures, links, suppressions
from services.outreach.api.resources import Outreach
from services.outreach.consumer import PLAIN, handlers
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.everybody import Everybody
from services.outreach.jobs.reading import Reading
from services.outreach.settings import OutreachSettings
from shared.clock import Clock, SystemClock
from shared.db.erasures import Journal
from shared.erasure import subject_by
from shared.http.app import create_app
from shared.http.client import Api, Services
from shared.http.client import Services
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
    common: CommonSettings | None = None, clock: Clock | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> FastAPI:
    """The application of outreach; its lifespan opens and closes everything it needs. The other services are asked by
    `transport`, over the network by default."""
    common = common or CommonSettings.load()
    clock = clock or SystemClock()
    settings = OutreachSettings.load()
    secret = common.secret_key.get_secret_value()
    tokens, journal = Tokens([secret]), Journal(subject_by(secret))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _services(settings, transport) as services, Plumbing.open(SCHEMA, common, clock) as plumbing:
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
            app.state.service = Outreach(plumbing.database, clock, settings, tokens)
            reading = Reading(plumbing.database, Everybody(settings, services), journal, tokens, clock)
            plumbing.start(reading.periodic())
            plumbing.runner(READS, handlers(journal, tokens, clock), journal=journal, plain=PLAIN)
            yield

    routers = (links.router, asks.router, suppressions.router, erasures.router, parked)
    return create_app(SCHEMA, "Tellback outreach", DESCRIPTION, routers, lifespan, clock=clock)


@asynccontextmanager
async def _services(settings: OutreachSettings, transport: httpx.AsyncBaseTransport | None) -> AsyncIterator[Services]:
    """The connections to the other services."""
    services = Services({"scorer": settings.scorer_url}, transport=transport)
    try:
        yield services
    finally:
        await services.close()
