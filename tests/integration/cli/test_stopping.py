"""What is told to stop ends in time: a service while Kafka hangs by itself and in good order, `up` whatever hangs."""

import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import Kafka
from services.cli.embedded.process import free_port
from shared.stopping import LAST
from tests.support.databases import Databases
from tests.support.environment import environment_on
from tests.support.home import home_in
from tests.support.polling import eventually
from tests.support.processes import end, parts_folder, running, start, tellback, wait_until

pytestmark = pytest.mark.slow
START_SECONDS = 180.0
PROMISED_SECONDS = 20.0


@contextmanager
def broker() -> Iterator[tuple[Kafka, psutil.Process]]:
    """A broker of the test's own, and its process."""
    jars = Jars()
    jars.fetch(jars.wrong())
    with parts_folder() as folder:
        kafka = Kafka(folder / "kafka", jars, free_port(), free_port())
        kafka.prepare()
        program = kafka.program()
        with running(program) as child:
            wait_until(kafka.ready, child, program.log)
            process = psutil.Process(child.pid)
            try:
                yield kafka, process
            finally:
                process.resume()


@pytest.fixture
async def url(databases: Databases) -> AsyncIterator[str]:
    async with databases.lent() as found:
        yield found


@pytest.mark.parametrize("service", ["collector", "alerting"])
async def test_a_service_stops_in_good_order_while_kafka_hangs(service: str, url: str, tmp_path: Path) -> None:
    with broker() as (kafka, process):
        async with environment_on(url, kafka.connection()) as environment:
            port, log = free_port(), tmp_path / "service.log"
            child = start(tellback("serve", service, "--port", str(port)), log, environment.variables())
            try:
                await eventually(lambda: reads(f"http://127.0.0.1:{port}"), START_SECONDS)
                process.suspend()
                child.send_signal(signal.SIGTERM)
                assert end(child, seconds=LAST) == -signal.SIGTERM
                assert "Timeout (" not in log.read_text(), "the watchdog had to end it"
            finally:
                process.resume()
                end(child)


@pytest.mark.timeout(300)
async def test_up_has_ended_everything_within_20_s_though_kafka_and_a_service_hang() -> None:
    with parts_folder() as folder, home_in(folder) as home:
        home.up()
        await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)
        for name in ("kafka", "scorer"):
            psutil.Process(home.part(name)["pid"]).suspend()
        processes = home.processes()
        began = time.monotonic()
        assert home.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < PROMISED_SECONDS
        assert psutil.wait_procs(processes, timeout=1)[1] == []
        assert "database system is shut down" in (home.data / "postgres" / "postgres.log").read_text()


def reads(address: str) -> bool:
    """Whether the service is ready, and lacks nothing."""
    try:
        answer = httpx.get(f"{address}/health/ready", trust_env=False)
    except httpx.TransportError:
        return False
    return answer.is_success and not answer.json().get("remarks")
