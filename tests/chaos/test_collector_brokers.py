"""Three real brokers under load: one dies, all die. Every accepted response is in the topic, and counts once."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.cli.embedded.process import free_port
from shared.kafka.admin import Admin
from shared.kafka.partition import partition_of
from shared.topics import RESPONSES
from tests.chaos.parts import service_part
from tests.support.cluster import Cluster, kafka_cluster
from tests.support.collector import Collecting, collecting
from tests.support.environment import PARTITIONS, Environment, fresh_environment
from tests.support.load import Load, in_topic, loading
from tests.support.polling import eventually
from tests.support.processes import embedded_postgres

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]
CLIENTS = 16
PATIENT = 90.0
REFUSED_SECONDS = 10.0
"""Deadline of every answer, whatever is away."""


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[tuple[Cluster, Environment]]:
    """A cluster with our topics in three replicas of which two must be in sync, and a PostgreSQL."""
    with embedded_postgres() as postgres:
        async with (
            kafka_cluster() as cluster,
            fresh_environment(cluster.connection(), postgres, topics=False) as environment,
        ):
            common = environment.common.model_copy(update={"replication_factor": 3})
            async with Admin.connected(cluster.connection(), common.topic_prefix) as admin:
                await admin.apply(PARTITIONS, 3)
            yield cluster, replace(environment, common=common)


async def leader(environment: Environment) -> int:
    """The leader of the first account's partition."""
    client = AIOKafkaAdminClient(**environment.kafka.options())
    await client.start()
    try:
        topics: Any = await client.describe_topics([environment.topic_prefix + RESPONSES.name])
    finally:
        await client.close()
    wanted = partition_of("account-0", PARTITIONS)
    return next(int(part["leader"]) for part in topics[0]["partitions"] if part["partition"] == wanted)


async def taken(load: Load, more: int, via: str | None = None) -> None:
    """Wait until so many more responses are accepted (by that path)."""

    def count() -> int:
        return len(load.accepted) if via is None else load.ways()[via]

    before = count()
    await eventually(lambda: count() >= before + more, PATIENT)


async def relayed(environment: Environment) -> None:
    """Wait until the outbox is empty."""
    connection = await asyncpg.connect(environment.database_url)
    try:

        async def empty() -> bool:
            waiting = await connection.fetchval("select count(*) from collector.outbox where published_at is null")
            return int(waiting) == 0

        await eventually(empty, PATIENT)
    finally:
        await connection.close()


async def counted_once(environment: Environment, logs: Path) -> None:
    """A scorer reads all records: it counts as many answers as there are ids in the topic."""
    found = await in_topic(environment)
    variables = environment.variables()
    scorer = service_part("scorer", free_port(), variables, logs, "scorer")
    scorer.start()
    connection = await asyncpg.connect(environment.database_url)
    try:
        await scorer.until_ready()

        async def all_read() -> bool:
            read = await connection.fetchval("select coalesce(sum(read_count), 0) from scorer.cursors")
            return bool(read >= sum(found.values()))

        await eventually(all_read, PATIENT)
        rows = await connection.fetchval("select count(*) from scorer.responses")
        ids = await connection.fetchval("select count(distinct response_id) from scorer.responses")
        assert (rows, ids) == (len(found), len(found))
    finally:
        scorer.stop()
        await connection.close()


@contextlib.asynccontextmanager
async def loaded(environment: Environment, logs: Path) -> AsyncIterator[tuple[Collecting, Load]]:
    """A collector under load; afterwards every accepted response is in the topic, and counts once."""
    async with collecting(environment, logs, free_port()) as collector:
        async with loading(collector.url, collector.key, CLIENTS) as load:
            await taken(load, 200)
            yield collector, load
        await relayed(environment)
    found = await in_topic(environment)
    assert load.accepted.keys() <= found.keys()
    assert load.posted >= set(found) & load.posted
    await counted_once(environment, logs)


async def test_the_leader_is_killed_and_started_again(house: tuple[Cluster, Environment], tmp_path: Path) -> None:
    cluster, environment = house
    async with loaded(environment, tmp_path) as (collector, load):
        for _ in range(2):
            broker = await leader(environment)
            cluster.kill(broker)
            await taken(load, 200)
            cluster.launch(broker)
            await cluster.ready(broker)
            await taken(load, 200, via="kafka")
        assert await collector.status("/health/ready") == 200
        assert load.slowest < REFUSED_SECONDS
        assert set(load.statuses) == {202}


async def test_all_brokers_are_gone_and_come_back(house: tuple[Cluster, Environment], tmp_path: Path) -> None:
    cluster, environment = house
    async with loaded(environment, tmp_path) as (collector, load):
        cluster.kill()
        await taken(load, 200, via="outbox")
        assert await collector.status("/health/ready") == 200
        cluster.launch()
        await cluster.ready()
        await taken(load, 500, via="kafka")
        assert load.slowest < REFUSED_SECONDS
        assert set(load.statuses) == {202}
