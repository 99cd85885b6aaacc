"""Composition root of outreach."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI

from services.outreach import READS, SCHEMA
from services.outreach.api import asks, erasures, links, outgoing, suppressions, survey_templates, surveys
from services.outreach.api.resources import Outreach
from services.outreach.consumer import PLAIN, handlers
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.everybody import Everybody
from services.outreach.gateways.services import OtherServices
from services.outreach.handlers.versions import Versions
from services.outreach.jobs.outgoing import OutgoingSender
from services.outreach.jobs.reading import Reading
from services.outreach.jobs.timers import timers
from services.outreach.settings import OutreachSettings
from services.outreach.web.resources import Pages
from services.outreach.web.site import mount
from services.outreach.web.strangers import Strangers
from shared.clock import Clock, SystemClock
from shared.db.erasures import Journal
from shared.erasure import subject_by
from shared.http import parked
from shared.http.app import create_app
from shared.http.client import Services
from shared.http.health import Health, health_of
from shared.runtime import Plumbing
from shared.settings import CommonSettings

DESCRIPTION = """Brings questions to people: surveys, personal links, the page on which people answer, and business
reviews."""


def build(
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
            app.state.service = Outreach(plumbing.database, clock, settings, tokens)
            sender = OutgoingSender(plumbing.database, clock, OtherServices(settings, services))
            app.state.pages = Pages(
                database=plumbing.database,
                clock=clock,
                tokens=tokens,
                versions=Versions(),
                strangers=Strangers(clock),
                wake=sender.wake,
                zone=ZoneInfo(common.time_zone),
            )
            reading = Reading(plumbing.database, Everybody(settings, services), journal, tokens, clock)
            work = timers(plumbing.database, clock, app.state.pages.versions, sender.wake)
            for periodic in (reading.periodic(), sender.sending, sender.observing, *work):
                plumbing.start(periodic)
            _watch(health_of(app), plumbing, sender)
            plumbing.runner(READS, handlers(journal, tokens, clock), journal=journal, plain=PLAIN)
            yield

    routers = (
        *(survey_templates.router, surveys.router),
        *(links.router, asks.router, suppressions.router, erasures.router, outgoing.router, parked.router_for()),
    )
    app = create_app(SCHEMA, "Tellback outreach", DESCRIPTION, routers, lifespan, clock=clock)
    mount(app)
    return app


def _watch(health: Health, plumbing: Plumbing, sender: OutgoingSender) -> None:
    """Let readiness depend on the plumbing, and remark on calls that are stuck."""

    async def not_ready() -> str | None:
        return ", ".join(await plumbing.not_ready()) or None

    async def remarks() -> list[str]:
        return [*await plumbing.remarks(), *sender.remarks]

    health.add("plumbing", not_ready)
    health.remarks = remarks


@asynccontextmanager
async def _services(settings: OutreachSettings, transport: httpx.AsyncBaseTransport | None) -> AsyncIterator[Services]:
    """The connections to the other services."""
    services = Services(
        {
            "collector": settings.collector_url,
            "scorer": settings.scorer_url,
            "alerting": settings.alerting_url,
            "benchmark": settings.benchmark_url,
        },
        transport=transport,
    )
    try:
        yield services
    finally:
        await services.close()
