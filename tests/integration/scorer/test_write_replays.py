"""The whole topic read from its start again: the same rows and figures, and nothing told twice."""

from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.scorer import SCHEMA
from services.scorer.app import build
from shared.db.engine import Database
from shared.events.scores import StakeholderAnswered
from shared.topics import RESPONSES, SCORE_EVENTS
from tests.integration.scorer.pipeline import publish, published, read_until
from tests.integration.scorer.storms import SETTLE_SECONDS, Story, check_books
from tests.support.clock import FrozenClock
from tests.support.environment import Environment, fresh_environment
from tests.support.http import serving

pytestmark = pytest.mark.slow


@pytest.fixture
async def story(environment: Environment) -> Story:
    """All of it is in the topic."""
    story = Story(environment, accounts=6, seed=3)
    await publish(environment, story.events)
    story.poured = len(story.events)
    return story


async def told_ids(environment: Environment) -> set[UUID]:
    return {event.id for event in await published(environment, SCORE_EVENTS)}


async def set_group_back(environment: Environment) -> None:
    """Commit offset 0 for every partition of the scorer's group, as an administrator would with nobody in it."""
    topic = environment.topic_prefix + RESPONSES.name
    group = f"{environment.topic_prefix}tellback-{SCHEMA}"
    consumer = AIOKafkaConsumer(
        **environment.kafka.options(), group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(environment.common.partitions)]
        consumer.assign(places)
        await consumer.commit(dict.fromkeys(places, 0))
        assert [await consumer.committed(place) for place in places] == [0] * len(places)
    finally:
        await consumer.stop()


async def test_group_offsets_set_back_to_the_start_change_nothing(
    environment: Environment, database: Database, story: Story
) -> None:
    """The cursor beside the state says where to read on, not the group."""
    app = build(environment.common, FrozenClock(story.moment))
    async with serving(app) as url:
        await story.check(database, url)
    await set_group_back(environment)
    await publish(environment, story.events[:1])
    story.poured += 1
    async with serving(build(environment.common, FrozenClock(story.moment))) as url:
        await story.check(database, url)


async def test_cursors_set_back_to_the_start_bring_the_same_figures_and_tell_nothing_twice(
    environment: Environment, database: Database, story: Story
) -> None:
    async with serving(build(environment.common, FrozenClock(story.moment))) as url:
        await story.check(database, url)
    outgoing = await told_ids(environment)
    async with database.write() as tx:
        await tx.execute("update cursors set next_offset = 0, last_offset = null, last_fingerprint = null")
    story.poured *= 2
    async with serving(build(environment.common, FrozenClock(story.moment))) as url:
        await story.check(database, url)
    assert await told_ids(environment) == outgoing


async def test_a_lost_database_is_built_again_from_the_topic(
    environment: Environment, database: Database, story: Story, postgres_url: str
) -> None:
    """What is told again of the same answers has the ids that it had, so that whoever heard it knows it."""
    async with serving(build(environment.common, FrozenClock(story.moment))) as url:
        await story.check(database, url)
    first = len(await answers_told(environment))
    async with fresh_environment(environment.kafka, postgres_url, topics=False) as empty:
        kept = {"topic_prefix": environment.topic_prefix, "secret_keys": environment.common.secret_keys}
        rebuilt = Environment(empty.common.model_copy(update=kept))
        story.environment = rebuilt
        other = Database(rebuilt.database_url, SCHEMA, pool_size=2)
        async with serving(build(rebuilt.common, FrozenClock(story.moment))) as url:
            await story.check_state(other, url)
            await read_until(other, story.poured, SETTLE_SECONDS)
        await other.close()
        assert sum(line.outcomes["new"] for line in await check_books(rebuilt)) > 0
    again = await answers_told(environment)
    ids: dict[tuple[str, int], set[UUID]] = {}
    for event in again:
        ids.setdefault((event.data.response_id, event.data.revision), set()).add(event.id)
    assert len(again) > first
    assert {len(found) for found in ids.values()} == {1}


async def answers_told(environment: Environment) -> list[Any]:
    """The events that tell an answer."""
    return [
        event for event in await published(environment, SCORE_EVENTS) if isinstance(event.data, StakeholderAnswered)
    ]
