"""Measures how far a service's cursors are behind their topics, also while the service does not read."""

import asyncio
import time
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.db.engine import Database
from shared.errors import Unavailable
from shared.kafka.batch import RunnerConfig
from shared.telemetry.metrics import consumer_lag_records, consumer_lag_seconds

ANSWER_SECONDS = 10.0
POLL_MS = 200


class Lag:
    """Sets the gauges of one service's lag."""

    def __init__(self, config: RunnerConfig, database: Database) -> None:
        self._config = config
        self._database = database
        self._seconds = 0.0
        self._measured_at: float | None = None

    def within(self, seconds: float) -> bool:
        """Whether everything that was recorded up to so many seconds ago has been read, as far as is known: the lag
        was small when it was measured, and that is not longer ago."""
        if self._measured_at is None:
            return False
        return self._seconds + time.monotonic() - self._measured_at <= seconds

    async def ask(self) -> None:
        """Measure the lag and set the gauges; before the service has read anything there is none to measure. Raises
        `Unavailable`."""
        async with self._database.read() as tx:
            rows = await tx.all(
                "select topic, partition, next_offset from cursors where starts_with(topic, :prefix)",
                prefix=self._config.topic_prefix,
            )
        cursors = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        if not cursors:
            return
        consumer = AIOKafkaConsumer(
            **self._config.kafka.options(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # retention may have passed the cursor
            max_partition_fetch_bytes=1,
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await consumer.start()
                ends = await consumer.end_offsets(list(cursors))
                behind = {place: ends[place] - offset for place, offset in cursors.items() if ends[place] > offset}
                since = await _appended_at(consumer, {place: cursors[place] for place in behind})
        except (KafkaError, OSError) as error:
            raise Unavailable("kafka_unavailable", "Kafka does not answer", retry_after=5) from error
        finally:
            await consumer.stop()
        self._seconds = 0.0
        for place in cursors:
            topic = place.topic.removeprefix(self._config.topic_prefix)
            labels = (self._config.group, topic, str(place.partition))
            seconds = 0.0
            if place in since:
                seconds = max(0.0, time.time() - since[place])
            consumer_lag_records.labels(*labels).set(behind.get(place, 0))
            consumer_lag_seconds.labels(*labels).set(seconds)
            self._seconds = max(self._seconds, seconds)
        self._measured_at = time.monotonic()


async def _appended_at(
    consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]
) -> dict[TopicPartition, float]:
    """When the first record at or after each offset was appended (seconds since 1970)."""
    consumer.assign(list(offsets))
    for place, offset in offsets.items():
        consumer.seek(place, offset)
    found: dict[TopicPartition, float] = {}
    while len(found) < len(offsets):
        polled = await consumer.getmany(*(offsets.keys() - found.keys()), timeout_ms=POLL_MS)
        found |= {place: records[0].timestamp / 1000 for place, records in polled.items() if records}
    return found
