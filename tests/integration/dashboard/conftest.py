"""The dashboard's handlers on a real database, with services that answer from the test."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from services.dashboard.domain.recent import Recent
from services.dashboard.gateways.halts import Halts
from services.dashboard.gateways.passwords import Passwords
from services.dashboard.gateways.vault import Vault
from services.dashboard.handlers.keys import KeyRing
from services.dashboard.handlers.people import Desk
from services.dashboard.handlers.signing_in import SigningIn
from services.dashboard.jobs.change_notifier import ChangeNotifiers
from services.dashboard.settings import DashboardSettings
from services.dashboard.web.forms import Forms
from services.dashboard.web.live import LiveSockets
from services.dashboard.web.resources import Resources, provide
from shared.db.engine import Database
from shared.http.client import Services
from tests.integration.dashboard.fake_services import FakeServices
from tests.support.clock import FrozenClock
from tests.support.environment import Environment

SECRET = "s3cret-of-the-tests-0123456789-abcdefgh"


@pytest.fixture
def environment(database_only: Environment) -> Environment:
    """An environment without Kafka, which the dashboard does not use."""
    return database_only


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 23, 12, tzinfo=UTC))


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
async def resources(environment: Environment, clock: FrozenClock, services: FakeServices) -> AsyncIterator[Resources]:
    database = Database(environment.database_url, "dashboard", pool_size=3)
    urls = dict.fromkeys(("collector", "scorer", "alerting", "benchmark", "outreach"), "http://services.test")
    asked = Services(urls, transport=services.transport)  # type: ignore[arg-type]
    passwords = Passwords()
    keys = KeyRing(database, asked, Vault((SECRET,)), clock, SecretStr("tb_own"))
    signing_in = SigningIn(database, clock, passwords, timedelta(hours=12))
    found = Resources(
        settings=DashboardSettings(),
        clock=clock,
        forms=Forms((SECRET,), secure=False),
        signing_in=signing_in,
        desk=Desk(database, clock, passwords, keys),
        keys=keys,
        notifiers=ChangeNotifiers(1),
        live=LiveSockets(signing_in),
        recent=Recent(),
        halts=Halts(asked),
    )
    provide(found)
    yield found
    await asked.close()
    await database.close()
