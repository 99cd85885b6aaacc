"""The environments that integration tests stand on: migrated, with topics, apart, gone afterwards."""

import asyncpg

from shared.kafka.admin import Admin
from shared.topics import TOPICS
from tests.support.environment import Environment, fresh_environment
from tests.support.polling import eventually


async def test_an_environment_has_every_topic_and_a_database_of_its_own(environment: Environment) -> None:
    async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
        states = await admin.inspect(1)
    assert [(state.exists, state.partitions, state.differs) for state in states] == [(True, 3, {})] * len(TOPICS)
    connection = await asyncpg.connect(environment.database_url)
    assert environment.topic_prefix == f"{await connection.fetchval('select current_database()')}."
    await connection.close()


async def test_nothing_is_left_of_an_environment(kafka_bootstrap: str, postgres_url: str) -> None:
    async with fresh_environment(kafka_bootstrap, postgres_url) as gone:
        pass
    async with Admin.connected(kafka_bootstrap, gone.topic_prefix) as admin:
        await eventually(lambda: _no_topics(admin))
    connection = await asyncpg.connect(postgres_url)
    found = await connection.fetchval(
        "select count(*) from pg_database where datname = $1", gone.topic_prefix.removesuffix(".")
    )
    await connection.close()
    assert found == 0


async def _no_topics(admin: Admin) -> bool:
    return not any(state.exists for state in await admin.inspect(1))
