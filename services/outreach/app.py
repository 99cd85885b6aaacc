"""Composition root of outreach."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from services.outreach import READS, SCHEMA
from services.outreach.api import outgoing, survey_templates, surveys
from services.outreach.api.resources import Outreach
from services.outreach.consumer import HANDLERS
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.services import OtherServices
from services.outreach.handlers.versions import Versions
from services.outreach.jobs.outgoing import OutgoingSender
from services.outreach.jobs.timers import timers
from services.outreach.settings import OutreachSettings
from services.outreach.web.resources import Pages
from services.outreach.web.site import mount
from services.outreach.web.strangers import Strangers
from shared.clock import Clock, SystemClock
from shared.db.engine import Database
from shared.http.app import create_app
from shared.http.health import Health, health_of
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
        async with (
            aclosing(OtherServices(settings)) as services,
            Plumbing.open(SCHEMA, common, clock) as plumbing,
        ):
            app.state.plumbing = plumbing
            app.state.service = Outreach(plumbing.database, clock, settings)
            sender = OutgoingSender(plumbing.database, clock, services)
            app.state.pages = pages_of(common, plumbing.database, clock, sender.wake)
            for periodic in (sender.sending, sender.observing):
                plumbing.start(periodic)
            for periodic in timers(plumbing.database, clock, app.state.pages.versions, sender.wake):
                plumbing.start(periodic)
            _watch(health_of(app), plumbing, sender)
            plumbing.runner(READS, HANDLERS)
            yield

    routers = (survey_templates.router, surveys.router, outgoing.router, parked)
    app = create_app(SCHEMA, "Tellback outreach", DESCRIPTION, routers, lifespan, clock=clock)
    mount(app)
    return app


def pages_of(common: CommonSettings, database: Database, clock: Clock, wake: Callable[[], None]) -> Pages:
    """What the pages of respondents work with."""
    return Pages(
        database=database,
        clock=clock,
        tokens=Tokens([common.secret_key.get_secret_value()]),
        versions=Versions(),
        strangers=Strangers(clock),
        wake=wake,
        zone=ZoneInfo(common.time_zone),
    )


def _watch(health: Health, plumbing: Plumbing, sender: OutgoingSender) -> None:
    """Let readiness depend on the plumbing, and remark on calls that are stuck."""

    async def not_ready() -> str | None:
        return ", ".join(await plumbing.not_ready()) or None

    async def remarks() -> list[str]:
        return [*await plumbing.remarks(), *sender.remarks]

    health.add("plumbing", not_ready)
    health.remarks = remarks
