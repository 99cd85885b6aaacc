"""Composition root of outreach."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.outreach import READS, SCHEMA
from services.outreach.api import survey_templates, surveys
from services.outreach.api.resources import Outreach
from services.outreach.consumer import HANDLERS
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.benchmark import Benchmark
from services.outreach.handlers.reviews import Reviews
from services.outreach.settings import OutreachSettings
from shared.clock import Clock, SystemClock
from shared.http.app import create_app
from shared.http.parked import router as parked
from shared.runtime import Plumbing
from shared.settings import CommonSettings

DESCRIPTION = """Brings questions to people: surveys, personal links, the page on which people answer, and business
reviews."""


def build(common: CommonSettings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application of outreach; its lifespan opens and closes everything it needs."""
    common = common or CommonSettings.load()
    clock = clock or SystemClock()
    settings = OutreachSettings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Plumbing.open(SCHEMA, common, clock) as plumbing:
            app.state.plumbing = plumbing
            app.state.service = Outreach(plumbing.database, clock, settings)
            plumbing.runner(READS, HANDLERS)
            yield

    return create_app(
        SCHEMA,
        "Tellback outreach",
        DESCRIPTION,
        (survey_templates.router, surveys.router, parked),
        lifespan,
        clock=clock,
    )
