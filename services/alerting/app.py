"""Composition root of alerting: settings to resources to the HTTP application."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from services.alerting import READS, SCHEMA
from services.alerting.api import (
    bulk,
    callbacks,
    erasures,
    follow_up_actions,
    follow_ups,
    notifications,
    rules,
)
from services.alerting.api.resources import Alerting
from services.alerting.consumer import PLAIN, handlers
from services.alerting.courier.api import deliveries, endpoints
from services.alerting.courier.app import delivering
from services.alerting.courier.interface import held_since
from services.alerting.domain.payloads import Links, PayloadSettings
from services.alerting.domain.people import Staff
from services.alerting.domain.policy import Policy
from services.alerting.domain.tasks import Contact
from services.alerting.gateways.mail import Mailer, MailServer
from services.alerting.handlers.callbacks import purge as purge_callbacks
from services.alerting.handlers.escalations import audit, escalate_due, to_escalate, to_unacknowledge, unacknowledge_due
from services.alerting.handlers.follow_ups import to_wake, wake_snoozed
from services.alerting.handlers.notices import announce_disabled, purge_notices, to_announce_disabled
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.responses import give_up_early
from services.alerting.handlers.watches import (
    accounts_of_today,
    purge,
    segments_of_today,
    watch_accounts,
    watch_segments,
)
from services.alerting.handlers.words import forget_words
from services.alerting.jobs.defaults import put_rules_in_place
from services.alerting.jobs.notices import NoticeSender
from services.alerting.jobs.timers import Work, at_once, each, timer
from services.alerting.outbound.domain.addresses import AddressPolicy, parsed_networks
from services.alerting.outbound.gateways.egress import Budgets, Egress
from services.alerting.outbound.gateways.proxy import proxy_of
from services.alerting.outbound.gateways.vault import Vault
from services.alerting.settings import AlertingSettings
from shared.calendar import BusinessCalendar, Due, parse_holidays, parse_hours, parse_weekdays
from shared.clock import Clock, SystemClock
from shared.db.erasures import Journal
from shared.erasure import subjects_by
from shared.errors import Unavailable
from shared.http import parked
from shared.http.app import create_app
from shared.http.health import Health, health_of
from shared.runtime import Plumbing
from shared.settings import CommonSettings, InvalidSettings

AT_ONCE = 1_000
"""Records of one transaction: its accounts are locked meanwhile, and people want to acknowledge."""
AUDIT_SECONDS, EARLY_SECONDS = 30.0, 3_600.0
RESUME = "`tellback resume-sending` lets them go again"
DESCRIPTION = """Turns what the scorer notices into follow-ups that somebody owns, and tells the CRM by signed
webhooks."""


def build(common: CommonSettings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application of alerting; its lifespan opens and closes everything it needs."""
    common = common or CommonSettings.load()
    clock = clock or SystemClock()
    settings = AlertingSettings.load()
    resources = resources_of(settings, common, clock)
    vault = Vault(common.key_ring)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            Plumbing.open(SCHEMA, common, clock) as plumbing,
            egress_of(settings, common, clock) as egress,
            delivering(plumbing, settings, egress, vault) as courier,
        ):

            def committed() -> None:
                plumbing.relay.wake()
                courier.wake()

            app.state.plumbing = plumbing
            _watch(health_of(app), plumbing)
            mailer = Mailer(mail_server_of(settings))
            app.state.service = Alerting(resources, committed, courier, egress, vault, mailer.configured)
            postman = NoticeSender(plumbing.database, resources, mailer, egress, vault, settings.notice_poll_s)
            plumbing.start(postman.periodic())
            plumbing.background("rules", partial(put_rules_in_place, plumbing.database, clock))
            for name, seconds, work in timers_of(settings, resources):
                plumbing.start(timer(name, plumbing.database, seconds, work, committed))
            plumbing.runner(
                READS, handlers(resources), committed, max_records=AT_ONCE, journal=resources.journal, plain=PLAIN
            )
            yield

    return create_app(
        SCHEMA,
        "Tellback alerting",
        DESCRIPTION,
        [
            bulk.router,
            *(follow_ups.router, follow_up_actions.router, rules.router, notifications.router, erasures.router),
            callbacks.router,
            *(endpoints.router, deliveries.router, parked.router_for()),
        ],
        lifespan,
        clock=clock,
    )


def _watch(health: Health, plumbing: Plumbing) -> None:
    """Let readiness depend on the plumbing, and remark that nothing is sent after a restore."""

    async def not_ready() -> str | None:
        return ", ".join(await plumbing.not_ready()) or None

    async def remarks() -> list[str]:
        found = await plumbing.remarks()
        if plumbing.gate.fault is not None:
            return found
        with contextlib.suppress(Unavailable):
            async with plumbing.database.read() as tx:
                since = await held_since(tx)
            if since is not None:
                found.append(f"no webhook or notice is sent since the restore of {since:%F %T} UTC; {RESUME}")
        return found

    health.add("plumbing", not_ready)
    health.remarks = remarks
    health.shut = plumbing.shut


def timers_of(settings: AlertingSettings, resources: Resources) -> list[tuple[str, float, Work]]:
    """What is done by time: name, seconds between two looks, the work."""
    return [
        ("snoozes", settings.wake_seconds, each(resources, to_wake, wake_snoozed)),
        ("escalations", settings.escalation_seconds, each(resources, to_escalate, escalate_due)),
        ("acknowledgements", settings.escalation_seconds, each(resources, to_unacknowledge, unacknowledge_due)),
        ("audit", AUDIT_SECONDS, at_once(resources, audit)),
        ("renewals", settings.watch_seconds, each(resources, accounts_of_today, watch_accounts)),
        ("segments", settings.watch_seconds, each(resources, segments_of_today, watch_segments)),
        ("disabled-endpoints", settings.escalation_seconds, each(resources, to_announce_disabled, announce_disabled)),
        ("purge-notices", settings.watch_seconds, at_once(resources, purge_notices)),
        ("purge-callbacks", settings.watch_seconds, at_once(resources, purge_callbacks)),
        ("words", settings.watch_seconds, at_once(resources, forget_words)),
        ("purge-early", EARLY_SECONDS, at_once(resources, give_up_early)),
        ("purge", settings.watch_seconds, at_once(resources, purge)),
    ]


def resources_of(settings: AlertingSettings, common: CommonSettings, clock: Clock) -> Resources:
    """The settings as the domain takes them. Raises InvalidSettings where business time makes no sense."""
    try:
        calendar = calendar_of(settings, common)
    except ValueError as error:
        raise InvalidSettings("invalid_settings", f"TELLBACK_ALERTING_BUSINESS_*: {error}") from None
    staff = Staff(
        _contact(settings.default_owner_name, settings.default_owner_email),
        _contact(settings.leader_name, settings.leader_email),
    )
    payload_settings = PayloadSettings(calendar, Links(common.dashboard_public_url))
    policy = Policy(calendar, staff, Due(settings.ack_timeout_hours, "business_hours"))
    return Resources(
        policy,
        payload_settings,
        clock,
        Journal(*subjects_by(common.key_ring)),
        notice_wait=timedelta(seconds=settings.notice_wait_s),
        notice_lease=timedelta(seconds=settings.notice_lease_s),
        burst=timedelta(hours=settings.burst_hours),
        retention=common.words,
    )


@asynccontextmanager
async def egress_of(settings: AlertingSettings, common: CommonSettings, clock: Clock) -> AsyncIterator[Egress]:
    """The way out to addresses that users gave, closed when the block ends. Raises InvalidSettings."""
    budgets = Budgets(connect=settings.connect_timeout_s, attempt=settings.attempt_timeout_s)
    proxy = proxy_of(settings.proxy, settings.no_proxy)
    egress = Egress(policy_of(settings, common), clock, budgets, proxy=proxy)
    try:
        yield egress
    finally:
        await egress.aclose()


def policy_of(settings: AlertingSettings, common: CommonSettings) -> AddressPolicy:
    """Where webhooks may go. Raises `InvalidSettings`."""
    try:
        networks = parsed_networks(",".join(settings.allow_networks))
    except ValueError:
        raise InvalidSettings(
            "invalid_settings", "TELLBACK_ALERTING_ALLOW_NETWORKS: must be networks such as 10.20.0.0/16"
        ) from None
    try:
        own = {int(port) for port in settings.own_ports}
    except ValueError:
        raise InvalidSettings("invalid_settings", "TELLBACK_ALERTING_OWN_PORTS: must be port numbers") from None
    own |= {settings.port, *_ports_of(common)}
    return AddressPolicy(networks, frozenset(own), settings.https_only)


def _ports_of(common: CommonSettings) -> Iterator[int]:
    """The ports of Kafka and PostgreSQL, where they are named."""
    servers = [f"//{server.strip()}" for server in common.kafka_bootstrap_servers.split(",")]
    for address in (*servers, common.database_url):
        try:
            port = urlsplit(address).port
        except ValueError:
            continue  # a socket path or something only the driver understands
        if port is not None:
            yield port


def mail_server_of(settings: AlertingSettings) -> MailServer | None:
    """Where mail is handed over; None where none is set. Raises InvalidSettings for a server without a sender."""
    if not settings.smtp_host:
        return None
    if not settings.mail_from:
        raise InvalidSettings("invalid_settings", "TELLBACK_ALERTING_MAIL_FROM: is needed to send mail")
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.mail_from,
        settings.smtp_user,
        settings.smtp_password.get_secret_value(),
    )


def calendar_of(settings: AlertingSettings, common: CommonSettings) -> BusinessCalendar:
    """Business time as the settings say. Raises ValueError."""
    opens, closes = parse_hours(settings.business_hours)
    calendar = BusinessCalendar(
        ZoneInfo(common.time_zone),
        parse_weekdays(settings.business_days),
        opens,
        closes,
        parse_holidays(",".join(common.holidays)).everywhere,
    )
    return calendar


def _contact(name: str, email: str) -> Contact:
    return Contact(name or None, email.lower() or None)
