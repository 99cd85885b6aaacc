"""SIGTERM under load: every accepted fact is in the topic, and the process ends in time."""

import signal
import time
from pathlib import Path

import pytest

from services.cli.embedded.process import free_port
from tests.support.collector import collecting
from tests.support.environment import Environment
from tests.support.load import in_topic, loading

pytestmark = pytest.mark.slow
IN_FLIGHT = 100
SECONDS = 20


@pytest.mark.parametrize("workers", [1, 2])
async def test_with_a_hundred_requests_in_flight_nothing_accepted_is_lost(
    environment: Environment, tmp_path: Path, workers: int
) -> None:
    async with collecting(environment, tmp_path, free_port(), workers=workers) as collector:
        async with loading(collector.url, collector.key, IN_FLIGHT) as load:
            await collector.until(lambda: len(load.accepted) > 3 * IN_FLIGHT)
            collector.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            await collector.until(lambda: collector.process.poll() is not None)
            took = time.monotonic() - began
        assert took < SECONDS
    found = await in_topic(environment)
    assert load.accepted.keys() <= found.keys()
    assert set(load.statuses) <= {202, 0, 503}
