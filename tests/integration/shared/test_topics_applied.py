"""Topics are made and kept as declared: what an operator set stays, and what Kafka refuses is named and left."""

from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.cli.checks import State, state
from services.cli.embedded.jars import Jars
from services.cli.embedded.process import free_port
from shared.kafka.admin import Admin
from shared.kafka.connection import KafkaConnection
from shared.topics import DIRECTORY, RESPONSES, TOPICS, Topic
from tests.support.environment import Environment, fresh_environment
from tests.support.polling import eventually
from tests.support.processes import parts_folder, run_tellback, running, wait_until
from tests.support.topic_policies import ReluctantKafka

TOO_SMALL = "1000"


@pytest.fixture(scope="module")
def reluctant() -> Iterator[KafkaConnection]:
    """A broker that refuses compaction and `segment.ms`."""
    jars = Jars()
    jars.fetch(jars.wrong())
    with parts_folder() as folder:
        kafka = ReluctantKafka(folder / "kafka", jars, free_port(), free_port())
        kafka.prepare()
        program = kafka.program()
        with running(program) as child:
            wait_until(kafka.ready, child, program.log)
            yield kafka.connection()


@pytest.fixture(scope="module")
async def managed(reluctant: KafkaConnection, postgres_url: str) -> AsyncIterator[Environment]:
    async with fresh_environment(reluctant, postgres_url, topics=False) as environment:
        yield environment


async def settings(environment: Environment, topic: Topic) -> dict[str, str]:
    """The settings of a topic that are its own."""
    client = AIOKafkaAdminClient(**environment.kafka.options())
    await client.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, environment.topic_prefix + topic.name)
        (answer,) = await client.describe_configs([resource])
    finally:
        await client.close()
    return {entry[0]: entry[1] for entry in answer.resources[0][4] if entry[3] == 1}


async def set_by_hand(environment: Environment, topic: Topic, values: dict[str, str]) -> None:
    client = AIOKafkaAdminClient(**environment.kafka.options())
    await client.start()
    try:
        name = environment.topic_prefix + topic.name
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, values)])
    finally:
        await client.close()


async def test_what_an_operator_set_stays(environment: Environment) -> None:
    own = {"retention.bytes": "5000000000", "segment.bytes": "200000000", "max.message.bytes": TOO_SMALL}
    await set_by_hand(environment, RESPONSES, RESPONSES.config() | own)

    async def different() -> bool:
        async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
            (found,) = await admin.inspect(1, [RESPONSES])
        return set(found.differs) == {"max.message.bytes"}

    await eventually(different)
    async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
        await admin.apply(3, 1)

    async def mended() -> bool:
        return await settings(environment, RESPONSES) == own | RESPONSES.config()

    await eventually(mended)


@pytest.mark.slow
async def test_what_kafka_refuses_is_named_and_the_rest_is_made(managed: Environment) -> None:
    done = await run_tellback(managed, "topics", "apply")
    assert done.returncode == 0, done.stderr
    prefix = managed.topic_prefix
    assert (
        f"Kafka refuses cleanup.policy of {prefix}directory, {prefix}account-scores: "
        "our policy does not allow cleanup.policy" in done.stdout
    )
    assert f"Kafka refuses segment.ms of {prefix}responses" in done.stdout

    async def listed() -> bool:  # brokers list a new topic with a delay
        async with Admin.connected(managed.kafka, prefix) as admin:
            return all([found.exists for found in await admin.inspect(1, TOPICS)])

    await eventually(listed)
    assert await settings(managed, RESPONSES) == {
        name: value for name, value in RESPONSES.config().items() if name != "segment.ms"
    }
    kept = await settings(managed, DIRECTORY)
    assert (kept["retention.ms"], "cleanup.policy" in kept) == ("-1", False)


@pytest.mark.slow
async def test_the_steps_of_up_name_what_kafka_refuses(managed: Environment) -> None:
    done = await run_tellback(managed, "setup", "--data", str(managed.common.data_dir))
    assert done.returncode == 0, done.stderr
    assert "Kafka refuses cleanup.policy of" in done.stdout


@pytest.mark.slow
async def test_the_doctor_warns_of_what_differs(managed: Environment) -> None:
    async with Admin.connected(managed.kafka, managed.topic_prefix) as admin:
        await admin.apply(3, 1)

    async def warned() -> bool:
        *_, topics = await state.kafka(managed.common)
        return topics.state is State.WARNING and "cleanup.policy: delete → compact" in topics.found

    await eventually(warned)
