"""A running benchmark service with other services that answer what a test says."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.benchmark.app import build
from services.benchmark.gateways.alerting import Alerting
from services.benchmark.gateways.scorer import Scorer
from tests.integration.benchmark.stand import NOW, Stand, Upstream
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running


@pytest.fixture
async def stand(environment: Environment) -> AsyncIterator[Stand]:
    """The service for one test."""
    scorer, alerting, clock = Upstream(), Upstream(), FrozenClock(NOW)
    app = build(
        environment.common,
        clock,
        Scorer("http://scorer.test", httpx.ASGITransport(app=scorer)),
        Alerting("http://alerting.test", httpx.ASGITransport(app=alerting)),
    )
    async with running(app) as client:
        client.headers.update(bearer(await api_key(environment, ["ingest", "read", "act", "manage", "erase"])))
        yield Stand(environment, client, scorer, alerting, clock, app)
