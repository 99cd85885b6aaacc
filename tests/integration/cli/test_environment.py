"""The environments of integration tests: migrated, with topics, isolated, deleted afterwards."""

import re

from shared.kafka.admin import Admin
from shared.kafka.connection import KafkaConnection
from shared.topics import TOPICS
from tests.support.databases import connected
from tests.support.environment import Environment, fresh_environment
from tests.support.polling import eventually


async def test_an_environment_has_every_topic_and_nothing_on_them(environment: Environment) -> None:
    async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
        await eventually(lambda: _every_topic(admin))  # brokers list a new topic with a delay
    assert re.fullmatch(r"test_[0-9a-f]{12}\.", environment.topic_prefix)


async def _every_topic(admin: Admin) -> bool:
    states = await admin.inspect(1)
    return [(state.exists, state.partitions, state.differs) for state in states] == [(True, 3, {})] * len(TOPICS)


async def test_an_environment_has_no_topics_where_none_are_needed(
    database_only: Environment, kafka: KafkaConnection
) -> None:
    async with Admin.connected(kafka, database_only.topic_prefix) as admin:
        assert await _no_topics(admin)


async def test_nothing_is_left_of_a_fresh_environment(kafka: KafkaConnection, postgres_url: str) -> None:
    async with fresh_environment(kafka, postgres_url) as gone:
        pass
    async with Admin.connected(kafka, gone.topic_prefix) as admin:
        await eventually(lambda: _no_topics(admin))
    async with connected(postgres_url) as connection:
        assert await connection.fetchval("select count(*) from pg_database where datname = $1", gone.database) == 0


async def _no_topics(admin: Admin) -> bool:
    return not any(state.exists for state in await admin.inspect(1))
