"""A running collector with a key, and the events that it has published."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from services.collector.app import build
from shared.events.envelope import Event, decode
from shared.topics import Topic
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Running:
    """A collector in this process."""

    app: FastAPI
    client: httpx.AsyncClient
    environment: Environment
    clock: FrozenClock

    async def events(self, topic: Topic, count: int) -> list[Event]:
        """The events on a topic once there are at least so many."""

        async def there() -> list[Event]:
            found = await self.present(topic)
            return found if len(found) >= count else []

        found = await eventually(there)
        assert len(found) == count
        return found

    async def present(self, topic: Topic) -> list[Event]:
        """The events on a topic now."""
        records = await topic_records(self.environment.kafka, self.environment.topic_prefix + topic.name)
        return [decode(record.headers, record.value) for record in records]


@asynccontextmanager
async def started(environment: Environment) -> AsyncIterator[Running]:
    """A collector with a key that has all scopes that it checks."""
    clock = FrozenClock(NOW)
    app = build(environment.common, clock)
    async with running(app) as client:
        client.headers.update(bearer(await api_key(environment, ("ingest", "read", "manage", "erase"))))
        yield Running(app, client, environment, clock)


@pytest.fixture
async def collector(environment: Environment) -> AsyncIterator[Running]:
    """A collector for one test, with topics of its own."""
    async with started(environment) as found:
        yield found


@pytest.fixture(scope="module")
async def shared_collector(module_environment: Environment) -> AsyncIterator[Running]:
    """A collector for a module, for tests that leave nothing behind or do not disturb each other."""
    async with started(module_environment) as found:
        yield found
