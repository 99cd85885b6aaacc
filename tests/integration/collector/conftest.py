"""A running collector with a key, and what it has put on the topics."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

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

    client: httpx.AsyncClient
    environment: Environment
    clock: FrozenClock

    async def events(self, topic: Topic, count: int) -> list[Event]:
        """The events on a topic once there are so many."""

        async def there() -> list[Event] | None:
            found = await self.present(topic)
            return found if len(found) >= count else None

        found = await eventually(there)
        assert len(found) == count
        return found

    async def present(self, topic: Topic) -> list[Event]:
        """The events on a topic now."""
        records = await topic_records(self.environment.kafka, self.environment.topic_prefix + topic.name)
        return [decode(record.headers, record.value) for record in records]


Start = Callable[..., Awaitable[Running]]


@pytest.fixture(scope="module")
async def collector(module_environment: Environment) -> AsyncIterator[Running]:
    """One collector for a module; its key may do everything."""
    clock = FrozenClock(NOW)
    async with running(build(module_environment.common, clock)) as client:
        client.headers.update(bearer(await api_key(module_environment, ("ingest", "read", "manage"))))
        yield Running(client, module_environment, clock)
