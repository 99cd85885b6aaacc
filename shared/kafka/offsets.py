"""First and last offsets of partitions, and which records lie at offsets, for commands that compare them with the
cursors."""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.kafka.connection import KafkaConnection
from shared.kafka.decoding import fingerprint
from shared.kafka.probe import KafkaAway, fault_of

ANSWER_SECONDS = 15.0
POLL_MS = 200
FETCH_BYTES = 65_536
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


async def fingerprints(kafka: KafkaConnection, offsets: Mapping[Place, int]) -> dict[Place, str]:
    """What distinguishes the records at these offsets, which lie before the ends of their partitions; without those
    that compaction took. Raises `Unavailable` when Kafka does not answer within 15 s."""
    if not offsets:
        return {}
    consumer = AIOKafkaConsumer(**kafka.options(), enable_auto_commit=False, max_partition_fetch_bytes=FETCH_BYTES)
    waiting = {TopicPartition(*place): offset for place, offset in offsets.items()}
    found: dict[Place, str] = {}
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await consumer.start()
            consumer.assign(list(waiting))
            for partition, offset in waiting.items():
                consumer.seek(partition, offset)
            while waiting:
                for partition, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                    offset = waiting.pop(partition)
                    consumer.pause(partition)
                    if records[0].offset == offset:
                        found[partition.topic, partition.partition] = fingerprint(records[0])
    except (KafkaError, OSError, TimeoutError) as error:
        raise KafkaAway("Kafka does not answer", await fault_of(kafka)) from error
    finally:
        await consumer.stop()
    return found
