"""What the tests of the scorer share."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.scorer.reading import Reader, reading
from tests.support.environment import fresh_environment


@pytest.fixture(scope="module")
async def reader(postgres_url: str) -> AsyncIterator[Reader]:
    """The reading side on a database of the module's own; no Kafka is needed."""
    async with (
        fresh_environment("127.0.0.1:9", postgres_url, topics=False) as environment,
        reading(environment) as found,
    ):
        yield found
