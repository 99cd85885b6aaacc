"""One house for all the tests of this folder: what is sent to it must not break it for the next."""

from collections.abc import AsyncIterator

import pytest

from shared.kafka.connection import KafkaConnection
from tests.integration.edges.house import House, furnished
from tests.support.environment import fresh_environment


@pytest.fixture(scope="package")
async def house(
    kafka: KafkaConnection, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Every service, with a little of everything in it."""
    async with (
        fresh_environment(kafka, postgres_url) as environment,
        furnished(environment, tmp_path_factory.mktemp("house")) as found,
    ):
        yield found
