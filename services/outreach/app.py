"""Composition root of outreach."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
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
    loop_backs,
    mail_tests,
    outgoing,
    programmes,
    response_targets,
    sending,
    sending_domain,
    suppressions,
    survey_logos,
    survey_templates,
    surveys,
    waves,
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
from services.outreach.handlers.caps import DailyCaps
from services.outreach.handlers.forecasts import Forecasts
from services.outreach.handlers.loop_backs import LoopBackMails
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.mailing import Mailing
from services.outreach.handlers.notices import Maker, Noticing
from services.outreach.handlers.owner_lists import OwnerLists
from services.outreach.handlers.pause_notices import PauseNotices
from services.outreach.handlers.planner import ProgrammePlanner
from services.outreach.handlers.review_reminders import ReviewReminders
from services.outreach.handlers.reviews import Reviews
from services.outreach.handlers.versions import Versions
from services.outreach.handlers.weekly_facts import week_until
from services.outreach.handlers.weekly_mails import WeeklyMails
from services.outreach.jobs.carrier import Carrier
from services.outreach.jobs.mailbox import MailboxReader
from services.outreach.jobs.mailing import MailSender
from services.outreach.jobs.outgoing import OutgoingSender
from services.outreach.jobs.reading import Reading
from services.outreach.jobs.review_reminders import review_reminders
from services.outreach.jobs.timers import timers
from services.outreach.settings import OutreachSettings
from services.outreach.store.notices import NoticeKind
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
    waves.router,
    loop_backs.router,
    response_targets.router,
    sending.router,
    sending_domain.router,
    bounces.router,
    suppressions.router,
    business_reviews.router,
    outgoing.router,
    erasures.router,
    parked.router_for(),
)
PLAN_SECONDS = 60.0
FORECAST_SECONDS = 300.0
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
    versions = Versions()
    tokens, journal = Tokens(common.key_ring), Journal(*subjects_by(common.key_ring))
    deployment = Deployment(settings.zones(common.time_zone), parse_holidays(",".join(common.holidays)))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            _services(settings, transport) as services,
            Plumbing.open(SCHEMA, common, clock) as plumbing,
        ):
            app.state.plumbing = plumbing
            api = _api(settings, services)
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
                versions,
                api,
            )
            reading = Reading(plumbing.database, Everybody(settings, services), journal, tokens, clock)
            plumbing.start(reading.periodic())
            if api is not None:
                plumbing.start(review_reminders(ReviewReminders(plumbing.database, clock, api)))
            sender = OutgoingSender(plumbing.database, clock, OtherServices(settings, services))
            app.state.pages = pages_of(common, plumbing.database, clock, tokens, versions, sender.wake)
            for periodic in (sender.sending, sender.observing):
                plumbing.start(periodic)
            for periodic in timers(plumbing.database, clock, versions, sender.wake, settings.retention_months):
                plumbing.start(periodic)
            runner = plumbing.runner(READS, handlers(journal, tokens, clock), journal=journal, plain=PLAIN)
            planner = ProgrammePlanner(plumbing.database, clock, deployment)
            plumbing.start(Periodic("programmes", PLAN_SECONDS, planner.round))
            forecasts = Forecasts(plumbing.database, clock, tokens, deployment)
            plumbing.start(Periodic("forecasts", FORECAST_SECONDS, forecasts.round))
            if settings.mailbox is not None:
                plumbing.start(MailboxReader(plumbing.database, clock, tokens, settings.mailbox).periodic())
            caps = DailyCaps(clock, deployment, settings.daily_cap)
            noticing = _noticing(common, plumbing, MailContents(settings, tokens), caps, api)
            async with _mailing(settings, plumbing, noticing, versions, caps, runner) as mails:
                _watch(health_of(app), plumbing, sender, mails)
                yield

    app = create_app(SCHEMA, "Tellback outreach", DESCRIPTION, ROUTERS, lifespan, clock=clock)
    mount(app)
    return app


def pages_of(
    common: CommonSettings,
    database: Database,
    clock: Clock,
    tokens: Tokens,
    versions: Versions,
    wake: Callable[[], None],
) -> Pages:
    """What the pages of respondents work with."""
    return Pages(
        database=database,
        clock=clock,
        tokens=tokens,
        versions=versions,
        strangers=Strangers(clock),
        wake=wake,
        zone=ZoneInfo(common.time_zone),
    )


def _api(settings: OutreachSettings, services: Services) -> Api | None:
    """The other services, asked with outreach's own key; None without one."""
    if settings.api_key is None:
        return None
    return Api(services, settings.api_key.get_secret_value())


def _noticing(
    common: CommonSettings, plumbing: Plumbing, contents: MailContents, caps: DailyCaps, api: Api | None
) -> Noticing:
    """What decides on mails that ask nothing; those to colleagues are written from now on."""
    database, clock = plumbing.database, plumbing.clock
    pages = common.dashboard_public_url.rstrip("/")
    lists = OwnerLists(database, clock, caps.deployment, contents, pages)
    paused = PauseNotices(database, clock, contents, pages)
    week = None
    if api is not None:
        week = partial(week_until, api=api, database=database)
    weekly = WeeklyMails(database, clock, caps.deployment, contents, week, pages)
    plumbing.start(Periodic("owner-lists", PLAN_SECONDS, lists.plan))
    plumbing.start(Periodic("pause-notices", PLAN_SECONDS, paused.plan))
    plumbing.start(Periodic("weekly-mails", PLAN_SECONDS, weekly.plan))
    loop_backs_told = LoopBackMails(contents, caps.deployment, caps)
    makers: Mapping[NoticeKind, Maker] = {
        "owner_list": lists,
        "loop_back": loop_backs_told,
        "paused": paused,
        "weekly": weekly,
    }
    return Noticing(database, clock, contents, makers)


@asynccontextmanager
async def _mailing(
    settings: OutreachSettings,
    plumbing: Plumbing,
    noticing: Noticing,
    versions: Versions,
    caps: DailyCaps,
    runner: Runner,
) -> AsyncIterator[MailSender | None]:
    """Lets mails go as long as it is open; None where no relay is set: then nothing is ever sent."""
    if settings.relay is None:
        yield None
        return
    contents = noticing.contents
    mailing = Mailing(plumbing.database, plumbing.clock, caps.deployment, contents, versions, caps)
    carrier = Carrier(Relay(settings.relay), settings.dkim, settings.mails_per_minute)
    mails = MailSender(mailing, noticing, carrier, lambda: not runner.is_within(FRESH_SECONDS))
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
    health.shut = plumbing.shut


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
