"""Kafka, PostgreSQL, the services and receivers of webhooks at addresses of IPv6.

On a machine without them the same is tested at 127.0.0.1, and the name of the test says so.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from services.alerting.outbound.domain.addresses import AddressPolicy, parsed_networks
from services.alerting.outbound.gateways.egress import Egress
from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import Kafka
from services.cli.embedded.process import LOOPBACK, free_port
from services.cli.workers import listening
from shared.clock import SystemClock
from shared.kafka.connection import KafkaConnection
from shared.kafka.producer import Publisher
from tests.support.environment import Environment, environment_on
from tests.support.events import record_of, recorded, topic_records
from tests.support.forwarding import forwarding
from tests.support.polling import eventually
from tests.support.processes import (
    end,
    parts_folder,
    run_tellback,
    running,
    start,
    tellback,
    wait_until,
)
from tests.support.receiver import receiving

START_SECONDS = 60.0


def has_ipv6() -> bool:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


HERE, ANY, NAME = LOOPBACK, "0.0.0.0", "127.0.0.1 (this machine has no ::1)"  # noqa: S104  # tests listen for a moment
if has_ipv6():
    HERE, ANY, NAME = "::1", "::", "::1"
at_ipv6 = pytest.mark.parametrize("host", [pytest.param(HERE, id=NAME)])


def authority(host: str, port: int) -> str:
    """Host and port as they stand in URLs."""
    if ":" in host:
        return f"[{host}]:{port}"
    return f"{host}:{port}"


class KafkaHere(Kafka):
    """A broker whose clients come by IPv6."""

    @property
    def bootstrap_servers(self) -> str:
        return authority(HERE, self.port)

    def ready(self) -> bool:
        with suppress(OSError), socket.create_connection((HERE, self.port), timeout=1):
            return True
        return False

    def _settings(self) -> dict[str, str]:
        clients = f"CLIENTS://{self.bootstrap_servers}"
        controller = f"CONTROLLER://{LOOPBACK}:{self.controller_port}"
        return super()._settings() | {"listeners": f"{clients},{controller}", "advertised.listeners": clients}


@pytest.fixture(scope="module")
def kafka_here() -> Iterator[KafkaConnection]:
    jars = Jars()
    jars.fetch(jars.wrong())
    with parts_folder() as folder:
        kafka = KafkaHere(folder / "kafka", jars, free_port(), free_port(), heap="256m")
        kafka.prepare()
        program = kafka.program()
        with running(program) as child:
            wait_until(kafka.ready, child, program.log)
            yield kafka.connection()


@pytest.mark.slow
@at_ipv6
async def test_a_service_and_its_parts_speak_ipv6(
    host: str, kafka_here: KafkaConnection, database_only: Environment, tmp_path: Path
) -> None:
    database = urlsplit(database_only.database_url)
    assert database.port is not None
    async with forwarding(host, database.port) as port:
        there = database._replace(netloc=f"{database.username}:{database.password}@{authority(host, port)}")
        await speaks(host, there.geturl(), kafka_here, tmp_path)


async def speaks(host: str, database_url: str, kafka: KafkaConnection, tmp_path: Path) -> None:
    async with environment_on(database_url, kafka) as environment:
        publisher = Publisher(environment.kafka, environment.topic_prefix, send_seconds=20)
        await publisher.start()
        await publisher.send(record_of(recorded("by-ipv6")))
        await publisher.stop()
        stored = await topic_records(environment.kafka, f"{environment.topic_prefix}responses")
        assert [b"by-ipv6" in record.value for record in stored] == [True]
        done = await run_tellback(environment, "migrate")
        assert done.returncode == 0, done.stderr

        port = free_port()
        command = tellback("serve", "collector", "--port", str(port), "--pause", "0")
        process = start(command, tmp_path / "collector.log", environment.variables() | {"TELLBACK_HOST": ANY})
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                for address in (host, LOOPBACK):

                    async def ready(url: str = f"http://{authority(address, port)}/health/ready") -> bool:
                        with suppress(httpx.ConnectError):
                            return (await client.get(url)).status_code == 200
                        return False

                    await eventually(ready, START_SECONDS)
        finally:
            end(process)


@at_ipv6
async def test_a_webhook_reaches_a_receiver_by_ipv6(host: str) -> None:
    network = str(ipaddress.ip_network(host))
    async with receiving(host=host) as receiver:
        egress = Egress(AddressPolicy(parsed_networks(network)), SystemClock())
        outcome = await egress.post(receiver.url, {}, b"{}")
        await egress.aclose()
    assert outcome.failure is None
    assert receiver.requests[0].headers["host"] == authority(host, receiver.port)


@at_ipv6
def test_workers_share_a_socket_of_both_families(host: str) -> None:
    with closing(listening(ANY, 0)) as held:
        port = held.getsockname()[1]
        for address in (host, LOOPBACK):
            socket.create_connection((address, port), timeout=5).close()
