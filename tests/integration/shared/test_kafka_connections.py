"""Connections to a Kafka of other people: three brokers with TLS, SCRAM, tokens and rights, and what is wrong said by
name."""

import asyncio
import base64
import json
import ssl
import stat
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.cli.embedded.process import LOOPBACK
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import Unavailable
from shared.kafka.admin import Admin
from shared.kafka.batch import RunnerConfig
from shared.kafka.connection import KafkaConnection, Mechanism
from shared.kafka.probe import fault_of
from shared.kafka.producer import Publisher
from shared.kafka.runner import Runner
from shared.topics import RESPONSES
from shared.verdicts import Received, Verdict
from tests.support.authorities import Authority
from tests.support.cluster import PASSWORD, SESSION_MS, STRANGER, SecuredNode, kafka_cluster
from tests.support.environment import Environment, fresh_environment
from tests.support.events import record_of, recorded, topic_records
from tests.support.polling import eventually
from tests.support.processes import embedded_broker

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
async def brokers() -> AsyncIterator[KafkaConnection]:
    async with kafka_cluster(SecuredNode) as cluster:
        yield cluster.connection()


@pytest.fixture(scope="module")
async def secured(brokers: KafkaConnection, postgres_url: str) -> AsyncIterator[Environment]:
    async with fresh_environment(brokers, postgres_url) as environment:
        yield environment


def token(subject: str = "tellback") -> str:
    """An unsigned token, which brokers take whose handlers were not replaced."""

    def part(values: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")

    now = int(time.time())
    return f"{part({'alg': 'none'})}.{part({'sub': subject, 'iat': now, 'exp': now + 3600})}."


async def goes_through(kafka: KafkaConnection, environment: Environment, response_id: str) -> bool:
    publisher = Publisher(kafka, environment.topic_prefix, send_seconds=20)
    await publisher.start()
    try:
        await publisher.send(record_of(recorded(response_id)))
    finally:
        await publisher.stop()
    found = await topic_records(kafka, f"{environment.topic_prefix}responses")
    return any(response_id.encode() in record.value for record in found)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_records_go_through_with_scram(secured: Environment, mechanism: Mechanism) -> None:
    assert await goes_through(replace(secured.kafka, sasl_mechanism=mechanism), secured, f"by-{mechanism}")


@pytest.mark.parametrize("by", ["file", "command"])
async def test_records_go_through_with_a_token(secured: Environment, tmp_path: Path, by: str) -> None:
    file = tmp_path / "token"
    file.write_text(f"{token()}\n")
    bearer = replace(secured.kafka, sasl_mechanism="OAUTHBEARER", token_file=file)
    if by == "command":
        bearer = replace(bearer, token_file=None, token_command=f"cat {file}")
    assert await goes_through(bearer, secured, f"by-token-{by}")


async def test_brokers_end_sessions_and_nothing_is_lost(secured: Environment) -> None:
    publisher = Publisher(secured.kafka, secured.topic_prefix, send_seconds=20)
    await publisher.start()
    sent: list[str] = []
    until = time.monotonic() + 2.5 * SESSION_MS / 1000
    try:
        while time.monotonic() < until:
            sent.append(f"session-{len(sent)}")
            await publisher.send(record_of(recorded(sent[-1])))
    finally:
        await publisher.stop()
    stored = await topic_records(secured.kafka, f"{secured.topic_prefix}responses")
    written = [json.loads(record.value)["response_id"] for record in stored]
    assert [name for name in written if name.startswith("session-")] == sent


async def test_what_is_wrong_is_named_by_a_probe(secured: Environment, tmp_path: Path) -> None:
    kafka = secured.kafka
    wrong = {
        "refuses the name or the password": replace(kafka, password=SecretStr("hunter2")),
        "does not take PLAIN": replace(kafka, sasl_mechanism="PLAIN"),
        "certificate of Kafka is not trusted": replace(kafka, ca_file=Authority(tmp_path / "elsewhere").file),
        "/nowhere/ca.pem": replace(kafka, ca_file=Path("/nowhere/ca.pem")),
        "file with the token": replace(kafka, sasl_mechanism="OAUTHBEARER", token_file=tmp_path / "none"),
        "ended with 1": replace(kafka, sasl_mechanism="OAUTHBEARER", token_command="false"),
    }
    for said, connection in wrong.items():
        assert said in await fault_of(connection)
    assert await fault_of(kafka) == ""


async def test_a_missing_right_is_named(secured: Environment) -> None:
    stranger = replace(secured.kafka, username=STRANGER, password=SecretStr(PASSWORD))
    with pytest.raises(Unavailable) as raised:
        async with Admin.connected(stranger, secured.topic_prefix) as admin:
            await admin.apply(1, 1)
    assert "forbids" in raised.value.fault


async def test_reading_halts_where_a_right_is_missing_and_says_what_it_is_about(secured: Environment) -> None:
    stranger = replace(secured.kafka, username=STRANGER, password=SecretStr(PASSWORD))
    config = RunnerConfig("scorer", (RESPONSES,), stranger, secured.topic_prefix)
    async with Database(secured.database_url, "scorer", pool_size=2) as database:
        runner = Runner(config, database, dict.fromkeys(RESPONSES.events, never))
        task = asyncio.create_task(runner.run())
        try:
            halted = "halted: kafka_forbids: Kafka forbids this client what it needs to do with a "
            await eventually(lambda: (runner.remark or "").startswith(halted), timeout=30)
        finally:
            await runner.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def never(_tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
    """A handler of records that do not come."""
    raise AssertionError(records)


async def test_an_expired_certificate_is_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("broker", lasts=timedelta(days=-1)))
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), LOOPBACK, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert "has expired" in await fault_of(KafkaConnection(f"{LOOPBACK}:{port}", "SSL", ca_file=authority.file))


async def test_the_embedded_kafka_lets_nobody_in_without_its_password() -> None:
    """Neither clients nor who says to be a broker; the password is in files of its owner alone."""
    with embedded_broker() as kafka:
        for port in (kafka.port, kafka.controller_port):
            address = f"{LOOPBACK}:{port}"
            guessed = replace(kafka.connection(), bootstrap_servers=address, password=SecretStr("guessed"))
            assert "refuses the name" in await fault_of(guessed)
            with pytest.raises(Unavailable):
                async with Admin.connected(KafkaConnection(address)) as admin:
                    await admin.cluster_id()
        for file in (kafka.password_file, kafka.properties):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
