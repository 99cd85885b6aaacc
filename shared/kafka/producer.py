"""The Publisher: acknowledged by all in-sync replicas, idempotent, with a circuit breaker, and able to recover by
itself.

aiokafka has two faults: batches of an idempotent producer never expire when the brokers are gone, and one refused batch
leaves a gap in the sequence numbers that refuses every later one. The remedy for both is the same: the producer is
dropped with all that it holds, and a new one takes over.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from functools import cache, partial
from itertools import chain

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Histogram

from shared.errors import TellbackError
from shared.kafka.connection import KafkaConnection
from shared.kafka.partition import partition_of
from shared.kafka.partition_batcher import Failures, Group, PartitionBatcher
from shared.kafka.probe import fault_of
from shared.kafka.receipts import AWAY, Receipt
from shared.records import KafkaUnavailable, Record
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import (
    publish_duration_seconds,
    publisher_breaker_open,
    publisher_rebuilds_total,
)
from shared.topics import Topic

log = get_logger(__name__)
SEND_SECONDS = 4.0
"""Deadline of a send on the request path; after it the outbox is used."""
STOP_SECONDS = 5.0
FRESH_SECONDS = 5.0
PROBE_SECONDS = 1.5
RECONNECT_SECONDS = 1.0


@cache
def _seconds_of(topic: str) -> Histogram:
    """The metric series of a topic, cached."""
    return publish_duration_seconds.labels(topic)


class Publisher:
    """One producer a process, shared by requests and relay. All methods must be called from the event loop that started
    it."""

    def __init__(
        self,
        kafka: KafkaConnection,
        topic_prefix: str = "",
        *,
        client_id: str = "tellback",
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._kafka = kafka
        self._prefix = topic_prefix
        self._client_id = client_id
        self._send_seconds = send_seconds
        self._producer: AIOKafkaProducer | None = None
        self._connected = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._batchers: dict[str, list[PartitionBatcher]] = {}
        self._partitions: dict[str, int] = {}
        self._stopped = False
        self.last_ack = time.monotonic()

    async def start(self, wait_seconds: float = 10.0) -> None:
        """Connect; when Kafka is away, return after `wait_seconds` and go on connecting in the background."""
        self._reconnect()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._connected.wait(), wait_seconds)

    async def stop(self) -> None:
        """Wait for records in flight (at most 5 s), then close."""
        self._stopped = True
        waiting = [future for batcher in self._all_batchers() for future in batcher.futures()]
        if waiting:
            await asyncio.wait(waiting, timeout=STOP_SECONDS)
        if self._connecting is not None:
            self._connecting.cancel()
        self._drop(KafkaUnavailable())
        await asyncio.gather(*self._retiring, return_exceptions=True)

    @property
    def available(self) -> bool:
        """False while the circuit breaker is open: then nothing is sent, and every send fails at once."""
        return self._producer is not None

    async def answers(self) -> bool:
        """Whether Kafka is reachable: true after an acknowledgement in the last seconds, else a broker is asked. Unlike
        `available` it also notices an outage while nothing is sent."""
        if self._producer is None or time.monotonic() - self.last_ack < FRESH_SECONDS:
            return self.available
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return bool(await self._producer.client.force_metadata_update())
        except (KafkaError, OSError, TimeoutError):
            return False

    def pending(self) -> int:
        """Records that wait for an acknowledgement."""
        return sum(batcher.pending() for batcher in self._all_batchers())

    async def publish(self, records: Sequence[Record]) -> Receipt:
        """Send records, in order, without waiting; the receipt tells the result of each. A record that Kafka would not
        take, or whose partition does not exist, is refused alone; all records are refused while the breaker is open."""
        for topic in {record.topic.name for record in records if record.topic.name not in self._partitions}:
            await self._ask_partitions(topic)
        receipt = Receipt()
        placed: dict[PartitionBatcher, list[int]] = {}
        for index, record in enumerate(records):
            try:
                record.check_size()
                batchers = self._batchers.get(record.topic.name) or self._new_batchers(record.topic)
                partition = record.partition
                if partition is None:
                    partition = partition_of(record.account_id, len(batchers))
                placed.setdefault(batchers[partition], []).append(index)
            except Exception as error:  # reported for this record alone
                receipt.refuse(index, record, error)
        for batcher, indexes in placed.items():
            receipt.add(records, batcher, indexes)
        return receipt

    async def send_many(self, records: Sequence[Record]) -> list[TellbackError | None]:
        """Publish records and wait; returns for each its error, or None once all in-sync replicas have it."""
        failures = await (await self.publish(records)).failures()
        return [failures.get(index) for index in range(len(records))]

    async def send(self, record: Record) -> None:
        """Publish one record and wait for its acknowledgement. Raises `TooLarge` before sending, `KafkaUnavailable`
        past the deadline or at once while the breaker is open; then the record may be stored nevertheless."""
        (error,) = await self.send_many([record])
        if error is not None:
            raise error

    async def _ask_partitions(self, topic: str) -> None:
        """Look up how many partitions a topic has; a failure opens the breaker."""
        if self._producer is None:
            return
        try:
            async with asyncio.timeout(self._send_seconds):
                self._partitions[topic] = len(await self._producer.partitions_for(self._prefix + topic))
        except (KafkaError, TimeoutError, OSError):
            self._trip()

    def _new_batchers(self, topic: Topic) -> list[PartitionBatcher]:
        """The batchers of a topic, one a partition. Raises `KafkaUnavailable` while the breaker is open."""
        partitions = self._partitions.get(topic.name)
        if self._producer is None or partitions is None:
            raise KafkaUnavailable
        self._batchers[topic.name] = [
            PartitionBatcher(partial(self._group, topic), partial(self._deliver, topic=topic, partition=partition))
            for partition in range(partitions)
        ]
        return self._batchers[topic.name]

    def _all_batchers(self) -> list[PartitionBatcher]:
        return list(chain.from_iterable(self._batchers.values()))

    def _group(self, topic: Topic) -> Group:
        if self._producer is None:
            raise KafkaUnavailable
        group = Group(topic)
        group.limit(self._send_seconds, self._late)
        return group

    def _late(self, group: Group) -> None:
        log.warning("publish_deadline_passed", seconds=self._send_seconds, records=group.batch.record_count())
        group.fail(KafkaUnavailable())
        self._trip()

    async def _deliver(self, group: Group, topic: Topic, partition: int) -> None:
        """Send a group. If Kafka refuses one record, only that record fails; the others are sent again one by one."""
        try:
            await self._produce(group, topic, partition)
            group.settle({})
        except AWAY as error:
            group.fail(error)
            self._trip()
        except KafkaError as error:
            log.warning(
                "publish_refused", error=type(error).__name__, topic=topic.name, records=group.batch.record_count()
            )
            await self._heal()
            group.settle(await self._one_by_one(group.batch.records(), topic, partition))
        except Exception as error:  # reported to the callers of this group; later groups go on
            group.fail(error)

    async def _one_by_one(self, records: Iterable[Record], topic: Topic, partition: int) -> Failures:
        failures: Failures = {}
        for position, record in enumerate(records):
            try:
                single = Group(topic)
                single.batch.add((record,))
                await self._produce(single, topic, partition)
            except Exception as error:  # of one record; the other records go on
                failures[position] = error
                if not isinstance(error, AWAY):
                    await self._heal()
        return failures

    async def _produce(self, group: Group, topic: Topic, partition: int) -> None:
        producer = self._producer
        if producer is None:
            raise KafkaUnavailable
        await (await producer.send_batch(group.batch, self._prefix + topic.name, partition=partition))
        self.last_ack = time.monotonic()
        _seconds_of(topic.name).observe(self.last_ack - group.began)

    async def _heal(self) -> None:
        """Replace the producer without failing waiting groups: new producer id, new sequence numbers."""
        publisher_rebuilds_total.inc()
        fresh = self._new_producer()
        try:
            await asyncio.wait_for(fresh.start(), STOP_SECONDS)
        except (KafkaError, OSError, TimeoutError):
            self._retire(fresh)
            self._trip()
            return
        old, self._producer = self._producer, fresh
        if old is not None:
            # Other partitions may have batches in flight in the old producer, which are acknowledged first.
            self._retire(old, flush=True)

    def _trip(self) -> None:
        """Open the breaker: all waiting groups fail now, and a background task reconnects to Kafka."""
        if self._producer is None:
            return
        log.warning("publisher_breaker_opened")
        publisher_breaker_open.set(1)
        self._drop(KafkaUnavailable())
        if not self._stopped:
            self._reconnect()

    def _drop(self, error: Exception) -> None:
        batchers, self._batchers = self._all_batchers(), {}
        producer, self._producer = self._producer, None
        self._connected.clear()
        if producer is not None:
            self._retire(producer)
        for batcher in batchers:
            batcher.abandon(error)

    def _new_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._kafka.options(),
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            request_timeout_ms=10_000,
            retry_backoff_ms=100,
            metadata_max_age_ms=30_000,
        )

    def _reconnect(self) -> None:
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        while not self._stopped:
            producer: AIOKafkaProducer | None = None
            try:
                producer = self._new_producer()
                await asyncio.wait_for(producer.start(), 10.0)
            except Exception as error:  # also unforeseen errors: without this task nothing would reconnect to Kafka
                if producer is not None:
                    self._retire(producer)
                log.warning("kafka_not_reachable", error=type(error).__name__, reason=await fault_of(self._kafka))
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            self._producer = producer
            self._connected.set()
            publisher_breaker_open.set(0)
            log.info("publisher_connected")
            return

    def _retire(self, producer: AIOKafkaProducer, *, flush: bool = False) -> None:
        """Close a producer in the background."""
        task = asyncio.create_task(self._close(producer, flush))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    @staticmethod
    async def _close(producer: AIOKafkaProducer, flush: bool) -> None:
        # Not producer.stop(): it waits for batches that never expire.
        producer._closed = True
        try:
            if flush:
                await asyncio.wait_for(producer.flush(), STOP_SECONDS)
            await asyncio.wait_for(producer._sender.close(), STOP_SECONDS)
        except (KafkaError, OSError, TimeoutError) as error:
            log.debug("producer_close_failed", error=type(error).__name__)
        finally:
            await producer.client.close()
