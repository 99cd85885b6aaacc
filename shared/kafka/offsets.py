"""First and last offsets of partitions, for commands that compare them with the cursors."""

import asyncio
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.kafka.connection import KafkaConnection
from shared.kafka.probe import KafkaAway, fault_of

ANSWER_SECONDS = 15.0
Place = tuple[str, int]
"""A full topic name (with prefix) and a partition."""


async def log_ranges(kafka: KafkaConnection, places: Collection[Place]) -> dict[Place, tuple[int, int]]:
    """The first offset and the one after the last, for partitions that exist. Raises `Unavailable` when Kafka does not
    answer within 15 s; for a partition that does not exist it never answers."""
    if not places:
        return {}
    consumer = AIOKafkaConsumer(**kafka.options(), enable_auto_commit=False)
    wanted = [TopicPartition(*place) for place in places]
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await consumer.start()
            firsts = await consumer.beginning_offsets(wanted)
            ends = await consumer.end_offsets(wanted)
    except (KafkaError, OSError, TimeoutError) as error:
        raise KafkaAway("Kafka does not answer", await fault_of(kafka)) from error
    finally:
        await consumer.stop()
    return {(place.topic, place.partition): (firsts[place], ends[place]) for place in wanted}
