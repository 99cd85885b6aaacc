"""PostgreSQL hangs, then resumes: responses are accepted meanwhile, and waiting work is done afterwards."""

import asyncio
import signal
from pathlib import Path

import psutil
import pytest

from services.cli.embedded.process import free_port
from tests.chaos.parts import Part, own_machine
from tests.support.collector import collecting
from tests.support.load import in_topic, loading
from tests.support.polling import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]
PATIENT = 60.0
AWAY_SECONDS = 20.0
ANSWER_SECONDS = 10.0


def tell(part: Part, what: signal.Signals) -> None:
    """Send a signal to every process of a part."""
    for process in [psutil.Process(part.pid), *psutil.Process(part.pid).children(recursive=True)]:
        process.send_signal(what)


@pytest.mark.parametrize("kafka", ["there", "away"])
async def test_stopped_for_twenty_seconds(tmp_path: Path, kafka: str) -> None:
    """With Kafka every answer is 202; without both each post is refused in time, and no accepted response is lost."""
    async with own_machine(tmp_path) as machine, collecting(machine.environment, tmp_path, free_port()) as collector:
        async with loading(collector.url, collector.key, 8) as load:
            await eventually(lambda: load.ways()["kafka"] >= 100, PATIENT)
            if kafka == "away":
                machine.kafka.kill()
                await eventually(lambda: load.ways()["outbox"] >= 20, PATIENT)
            tell(machine.postgres, signal.SIGSTOP)
            began = asyncio.get_running_loop().time()
            try:
                before = load.statuses.total()
                await eventually(
                    lambda: (
                        load.statuses.total() >= before + 20
                        and asyncio.get_running_loop().time() - began > AWAY_SECONDS
                    ),
                    PATIENT,
                )
                assert await collector.status("/health/live") == 200
                assert await collector.status("/health/ready") == (200 if kafka == "there" else 503)
            finally:
                tell(machine.postgres, signal.SIGCONT)
            if kafka == "away":
                machine.kafka.start()
                await machine.kafka.until_ready()
            back = load.ways()["kafka"]
            await eventually(lambda: load.ways()["kafka"] >= back + 100, PATIENT)
        assert load.slowest < ANSWER_SECONDS
        assert set(load.statuses) == ({202} if kafka == "there" else {202, 503})

        async def all_there() -> bool:
            return load.accepted.keys() <= (await in_topic(machine.environment)).keys()

        await eventually(all_there, PATIENT)
