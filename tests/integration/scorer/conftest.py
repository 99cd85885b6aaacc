"""What the tests of the scorer share."""

from collections.abc import AsyncIterator

import pytest

from services.scorer import SCHEMA
from shared.db.engine import Database
from tests.integration.scorer.reading import Reader, reading
from tests.integration.scorer.writing import Writer, writer
from tests.support.environment import Environment


@pytest.fixture(scope="module")
async def reader(module_database_only: Environment) -> AsyncIterator[Reader]:
    """The reading side on a database of the module's own; no Kafka is needed."""
    async with reading(module_database_only) as found:
        yield found


@pytest.fixture(scope="module")
async def rows(reader: Reader) -> AsyncIterator[Writer]:
    """The consumer and the projector beside the reader, on the same clock."""
    async with writer(reader.environment, reader.clock) as found:
        yield found


@pytest.fixture
async def database(environment: Environment) -> AsyncIterator[Database]:
    """The scorer's database of the test's own environment, to look into from beside the scorers."""
    opened = Database(environment.database_url, SCHEMA, pool_size=2)
    try:
        yield opened
    finally:
        await opened.close()
