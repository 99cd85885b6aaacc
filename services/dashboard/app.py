"""Composition root of the dashboard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from services.dashboard import SCHEMA
from services.dashboard.domain.recent import Recent
from services.dashboard.gateways.halts import Halts
from services.dashboard.gateways.passwords import Passwords
from services.dashboard.gateways.vault import Vault
from services.dashboard.handlers.keys import KeyRing
from services.dashboard.handlers.people import Desk
from services.dashboard.handlers.signing_in import SigningIn
from services.dashboard.jobs.audit_retention import AuditRetention
from services.dashboard.jobs.change_notifier import ChangeNotifiers
from services.dashboard.settings import DashboardSettings
from services.dashboard.web import accounts_json, login, passwords
from services.dashboard.web.bring import transfer
from services.dashboard.web.forms import Forms
from services.dashboard.web.live import LiveSockets
from services.dashboard.web.resources import Resources, provide
from services.dashboard.web.site import mount
from shared.background import Background
from shared.clock import Clock, SystemClock
from shared.db.engine import Database
from shared.db.schema_gate import SchemaGate
from shared.errors import Unavailable
from shared.http.app import create_bare_app
from shared.http.client import Services
from shared.http.health import Health, health_of
from shared.settings import CommonSettings
from shared.stopping import DATABASE, within


def build(common: CommonSettings | None = None, clock: Clock | None = None) -> FastAPI:
    """The dashboard as an application; settings come from the environment where they are not given."""
    common = common or CommonSettings.load()
    clock = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings = DashboardSettings.load()
        database = Database.of(common, SCHEMA)
        services = Services(
            {
                "collector": settings.collector_url,
                "scorer": settings.scorer_url,
                "alerting": settings.alerting_url,
                "benchmark": settings.benchmark_url,
                "outreach": settings.outreach_url,
            }
        )
        found = _resources(settings, clock, database, services, common.key_ring)
        provide(found)
        tasks, gate = Background(), SchemaGate(database, (SCHEMA,))
        tasks.start("schema", gate.run)
        live = found.live.periodic()
        tasks.start(live.name, gate.behind(live.run))
        retention = AuditRetention(database, clock, settings.audit_keep_days).periodic()
        tasks.start(retention.name, gate.behind(retention.run))
        _watch(health_of(app), database, gate)
        await gate.first_look()
        try:
            yield
        finally:
            await tasks.stop()
            found.notifiers.stop()
            await services.close()
            await within(DATABASE, database.close())

    about = "Pages for people: who turned, why, and what to do about it. There is no API here but health and metrics."
    routers = (login.router, passwords.router, accounts_json.router, transfer.router)
    app = create_bare_app(SCHEMA, "Tellback dashboard", about, routers, lifespan, clock=clock)
    mount(app)
    return app


def _resources(
    settings: DashboardSettings, clock: Clock, database: Database, services: Services, secret_keys: tuple[str, ...]
) -> Resources:
    passwords = Passwords()
    keys = KeyRing(database, services, Vault(secret_keys), clock, settings.api_key)
    signing_in = SigningIn(database, clock, passwords, timedelta(hours=settings.session_hours))
    return Resources(
        settings=settings,
        clock=clock,
        forms=Forms(secret_keys, settings.secure_cookies),
        signing_in=signing_in,
        desk=Desk(database, clock, passwords, keys),
        keys=keys,
        notifiers=ChangeNotifiers(settings.refresh_seconds),
        live=LiveSockets(signing_in),
        recent=Recent(),
        halts=Halts(services),
    )


def _watch(health: Health, database: Database, gate: SchemaGate) -> None:
    """Let readiness depend on the database, and on that it has the schema that this release works with."""

    async def not_ready() -> str | None:
        try:
            await database.ping()
        except Unavailable as error:
            return error.code
        return gate.reason

    async def remarks() -> list[str]:
        return gate.remarks

    health.add("database", not_ready)
    health.remarks = remarks
    health.shut = lambda: gate.shut
