"""How far the log of each partition reaches: for commands that compare it with the cursors."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.errors import Unavailable

Place = tuple[str, int]
"""A full topic name (with prefix) and a partition."""


async def log_ranges(bootstrap_servers: str, topics: Sequence[str]) -> dict[Place, tuple[int, int]]:
    """First offset and the one after the last, for every partition of the topics that exist. Raises Unavailable."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False)
    try:
        await consumer.start()
        known = await consumer.topics()
        places = []
        for topic in set(topics) & known:
            partitions = consumer.partitions_for_topic(topic) or ()
            places += [TopicPartition(topic, partition) for partition in partitions]
        firsts = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
    except (KafkaError, OSError) as error:
        raise Unavailable("kafka_unavailable", "Kafka is not reachable", retry_after=5) from error
    finally:
        await consumer.stop()
    return {(place.topic, place.partition): (firsts[place], ends[place]) for place in places}
