"""Composition root of outreach."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI

from services.outreach import READS, SCHEMA
from services.outreach.api import (
    asks,
    bounces,
    business_reviews,
    erasures,
    links,
    mail_tests,
    outgoing,
    programmes,
    sending_domain,
    suppressions,
    survey_logos,
    survey_templates,
    surveys,
)
from services.outreach.api.resources import Outreach
from services.outreach.consumer import PLAIN, handlers
from services.outreach.domain.audience import Deployment
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.benchmark import Benchmark
from services.outreach.gateways.dns import Dns
from services.outreach.gateways.everybody import Everybody
from services.outreach.gateways.relay import Relay
from services.outreach.gateways.services import OtherServices
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.mailing import Mailing
from services.outreach.handlers.planner import ProgrammePlanner
from services.outreach.handlers.review_reminders import ReviewReminders
from services.outreach.handlers.reviews import Reviews
from services.outreach.handlers.versions import Versions
from services.outreach.jobs.mailbox import MailboxReader
from services.outreach.jobs.mailing import MailSender
from services.outreach.jobs.outgoing import OutgoingSender
from services.outreach.jobs.reading import Reading
from services.outreach.jobs.review_reminders import review_reminders
from services.outreach.jobs.timers import timers
from services.outreach.settings import OutreachSettings
from services.outreach.web.resources import Pages
from services.outreach.web.site import mount
from services.outreach.web.strangers import Strangers
from shared.background import Periodic
from shared.calendar import parse_holidays
from shared.clock import Clock, SystemClock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.erasure import subjects_by
from shared.http import parked
from shared.http.app import create_app
from shared.http.client import Api, ServiceName, Services
from shared.http.health import Health, health_of
from shared.kafka.runner import Runner
from shared.runtime import Plumbing
from shared.settings import CommonSettings

DESCRIPTION = """Brings questions to people: surveys, personal links, the page on which people answer, and business
reviews."""
ROUTERS = (
    survey_templates.router,
    survey_logos.router,
    surveys.router,
    links.router,
    mail_tests.router,
    asks.router,
    programmes.router,
    sending_domain.router,
    bounces.router,
    suppressions.router,
    business_reviews.router,
    outgoing.router,
    erasures.router,
    parked.router_for(),
)
PLAN_SECONDS = 60.0
FRESH_SECONDS = 60.0
"""No mail goes while what others have recorded is further behind than this."""
PACK_SECONDS = 30.0
"""The longest a service may take: a review pack asks two others dozens of questions."""


def build(
    common: CommonSettings | None = None, clock: Clock | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> FastAPI:
    """The application of outreach; its lifespan opens and closes everything it needs. The other services are asked by
    `transport`, over the network by default."""
    common = common or CommonSettings.load()
    clock = clock or SystemClock()
    settings = OutreachSettings.load()
    tokens, journal = Tokens(common.key_ring), Journal(*subjects_by(common.key_ring))
    deployment = Deployment(settings.zones(common.time_zone), parse_holidays(",".join(common.holidays)))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            _services(settings, transport) as services,
            Plumbing.open(SCHEMA, common, clock) as plumbing,
        ):
            app.state.plumbing = plumbing
            reviews = Reviews(plumbing.database, Benchmark(services), journal, tokens, clock)
            app.state.service = Outreach(
                plumbing.database,
                clock,
                settings,
                tokens,
                journal,
                reviews,
                ZoneInfo(common.time_zone),
                deployment,
                Dns(),
            )
            reading = Reading(plumbing.database, Everybody(settings, services), journal, tokens, clock)
            plumbing.start(reading.periodic())
            if settings.api_key is not None:
                api = Api(services, settings.api_key.get_secret_value())
                plumbing.start(review_reminders(ReviewReminders(plumbing.database, clock, api)))
            sender = OutgoingSender(plumbing.database, clock, OtherServices(settings, services))
            app.state.pages = pages_of(common, plumbing.database, clock, tokens, sender.wake)
            for periodic in (sender.sending, sender.observing):
                plumbing.start(periodic)
            for periodic in timers(
                plumbing.database, clock, app.state.pages.versions, sender.wake, settings.retention_months
            ):
                plumbing.start(periodic)
            runner = plumbing.runner(READS, handlers(journal, tokens, clock), journal=journal, plain=PLAIN)
            planner = ProgrammePlanner(plumbing.database, clock, deployment)
            plumbing.start(Periodic("programmes", PLAN_SECONDS, planner.round))
            if settings.mailbox is not None:
                plumbing.start(MailboxReader(plumbing.database, clock, tokens, settings.mailbox).periodic())
            async with _mailing(settings, plumbing, tokens, deployment, runner) as mails:
                _watch(health_of(app), plumbing, sender, mails)
                yield

    app = create_app(SCHEMA, "Tellback outreach", DESCRIPTION, ROUTERS, lifespan, clock=clock)
    mount(app)
    return app


def pages_of(
    common: CommonSettings, database: Database, clock: Clock, tokens: Tokens, wake: Callable[[], None]
) -> Pages:
    """What the pages of respondents work with."""
    return Pages(
        database=database,
        clock=clock,
        tokens=tokens,
        versions=Versions(),
        strangers=Strangers(clock),
        wake=wake,
        zone=ZoneInfo(common.time_zone),
    )


@asynccontextmanager
async def _mailing(
    settings: OutreachSettings, plumbing: Plumbing, tokens: Tokens, deployment: Deployment, runner: Runner
) -> AsyncIterator[MailSender | None]:
    """Lets mails go as long as it is open; None where no relay is set: then nothing is ever sent."""
    if settings.relay is None:
        yield None
        return
    contents = MailContents(settings, tokens)
    mailing = Mailing(plumbing.database, plumbing.clock, deployment, contents, Versions(), settings.daily_cap)
    mails = MailSender(
        mailing,
        Relay(settings.relay),
        settings.dkim,
        settings.mails_per_minute,
        lambda: not runner.is_within(FRESH_SECONDS),
    )
    plumbing.start(mails.sending)
    try:
        yield mails
    finally:
        await mails.close()


def _watch(health: Health, plumbing: Plumbing, sender: OutgoingSender, mails: MailSender | None) -> None:
    """Let readiness depend on the plumbing, and remark on calls that are stuck and on a relay that is away."""

    async def not_ready() -> str | None:
        return ", ".join(await plumbing.not_ready()) or None

    async def remarks() -> list[str]:
        found = [*await plumbing.remarks(), *sender.remarks]
        if mails is not None and mails.remark is not None:
            found.append(mails.remark)
        return found

    health.add("plumbing", not_ready)
    health.remarks = remarks


@asynccontextmanager
async def _services(settings: OutreachSettings, transport: httpx.AsyncBaseTransport | None) -> AsyncIterator[Services]:
    """The connections to the other services."""
    urls: dict[ServiceName, str] = {
        "collector": settings.collector_url,
        "scorer": settings.scorer_url,
        "alerting": settings.alerting_url,
        "benchmark": settings.benchmark_url,
    }
    services = Services(urls, transport=transport, timeout=PACK_SECONDS)
    try:
        yield services
    finally:
        await services.close()
