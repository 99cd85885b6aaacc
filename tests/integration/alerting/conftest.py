"""One alerting service a module, and for each test an account of its own."""

from collections.abc import AsyncIterator
from zlib import crc32

import pytest

from tests.integration.alerting.cases import Case
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment


@pytest.fixture(scope="module")
async def alerting(module_environment: Environment) -> AsyncIterator[RunningAlerting]:
    """A running service; the clock stands still on a Monday at ten."""
    async with running_alerting(module_environment) as running:
        yield running


@pytest.fixture
def acme(request: pytest.FixtureRequest) -> Case:
    """An account that no other test speaks of."""
    return Case(f"acme-{crc32(request.node.name.encode())}")
