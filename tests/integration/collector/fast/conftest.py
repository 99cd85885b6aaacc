"""A collector, and a client whose key the fast lane has in its cache."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.collector.app import build
from shared.http.app import ServiceApp
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW
from tests.support.http import api_key, bearer, running


@pytest.fixture
async def app(environment: Environment) -> ServiceApp:
    app = build(environment.common, FrozenClock(NOW))
    assert isinstance(app, ServiceApp)
    return app


@pytest.fixture
async def client(environment: Environment, app: ServiceApp) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app) as client:
        client.headers.update(bearer(await api_key(environment, ["ingest"])))
        await client.get("/v1/me")  # puts the key into the cache
        yield client
