"""Reading without a consumer group: every replica sees all partitions, from wherever a reader left off.

One consumer a process follows the end of the topics for all listeners; a listener with an older position is brought up
to the end by a consumer of its own. No offsets are committed: the position belongs to the listener.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.errors import Poison, TooMany
from shared.events.envelope import Event, decode
from shared.kafka.connection import KafkaConnection
from shared.records import KafkaUnavailable
from shared.telemetry.logging import get_logger
from shared.topics import Topic

log = get_logger(__name__)
Place = tuple[str, int]
"""Topic (without prefix) and partition."""
Positions = dict[Place, int]
"""For every partition of the topics, the offset of the next record."""
READY_SECONDS = 10.0
IDLE_SECONDS = 30.0
POLL_MS = 500
MAX_WAITING = 5_000
"""Records that may wait for one listener; a slower listener is disconnected and may come back with its position."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One record; `event` is None for a record that no reader can use (a tombstone, poison)."""

    place: Place
    offset: int
    event: Event | None


class Listener:
    """A queue of the records from `start` on, for one reader."""

    def __init__(self, start: Positions) -> None:
        self.start = start
        self.lost = False
        self._waiting: deque[Seen] = deque()
        self._woken = asyncio.Event()

    async def take(self, seconds: float) -> Sequence[Seen]:
        """The queued records, waiting for the first at most so many seconds; empty after that, or when `lost`."""
        if not self._waiting and not self.lost:
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), seconds)
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def give(self, seen: Iterable[Seen]) -> None:
        """Queue records."""
        self._waiting.extend(seen)
        if len(self._waiting) > MAX_WAITING:
            self.drop()
        self._woken.set()

    def drop(self) -> None:
        """Mark the listener as `lost` and empty its queue, which is no longer complete."""
        self._waiting.clear()
        self.lost = True
        self._woken.set()


class Tail:
    """Follows topics while there are listeners; `run` is the task that does."""

    def __init__(self, kafka: KafkaConnection, prefix: str, topics: Sequence[Topic], listeners: int = 200) -> None:
        self._kafka = kafka
        self._topics = {prefix + topic.name: topic for topic in topics}
        self._limit = listeners
        self._listeners: set[Listener] = set()
        self._positions: Positions | None = None
        self._wanted = asyncio.Event()
        self._following = asyncio.Event()

    async def positions(self) -> Positions:
        """The positions at the end of the topics. Raises `KafkaUnavailable` when Kafka does not answer within 10 s."""
        self._wanted.set()
        try:
            async with asyncio.timeout(READY_SECONDS):
                while self._positions is None:
                    await self._following.wait()
        except TimeoutError:
            raise KafkaUnavailable from None
        return dict(self._positions)

    def require_room(self) -> None:
        """Raises `TooMany` when there are as many listeners as allowed."""
        if len(self._listeners) >= self._limit:
            raise TooMany("too_many_streams", "this replica has as many streams as it may have", retry_after=10)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """A listener for the duration of the block. Raises `KafkaUnavailable`, or `TooMany` when there are as many as
        allowed."""
        self.require_room()
        listener = Listener(await self.positions())
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def run(self) -> None:
        """Follow the topics while there are listeners, until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                async with self._consumer() as consumer:
                    await self._follow(consumer)
            except (KafkaError, OSError) as error:
                log.warning("stream_lost_kafka", error=type(error).__name__)
                await asyncio.sleep(1)
            finally:
                self._positions = None
                self._following.clear()
                for listener in self._listeners:
                    listener.drop()

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        places = await self._places(consumer)
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place, end in ends.items():
            consumer.seek(place, end)
        self._positions = self._named(ends)
        self._following.set()
        idle = 0.0
        while idle < IDLE_SECONDS:
            polled = await consumer.getmany(timeout_ms=POLL_MS)
            for place, records in polled.items():
                self._positions[self._topics[place.topic].name, place.partition] = records[-1].offset + 1
            if self._listeners:
                idle = 0.0
                seen = [self._seen(record) for records in polled.values() for record in records]
                for listener in self._listeners:
                    listener.give(seen)
            else:
                idle += POLL_MS / 1000
        self._wanted.clear()

    async def between(self, start: Mapping[Place, int], end: Mapping[Place, int]) -> AsyncIterator[Seen | None]:
        """The records from one position to another. Yields None first where there is a gap: retention has passed the
        start, or the start lies beyond the end. Raises `KafkaUnavailable`."""
        if dict(start) == dict(end):
            return
        try:
            async with self._consumer() as consumer:
                places = await self._places(consumer)
                begins = self._named(await consumer.beginning_offsets(places))
                kept = {topic.name for topic in self._topics.values() if topic.compacted}
                if any(start[at] > end[at] or (start[at] < begins[at] and at[0] not in kept) for at in end):
                    yield None
                left = {place for place in places if start[self._name(place)] < end[self._name(place)]}
                consumer.assign(sorted(left))
                for place in left:
                    consumer.seek(place, max(start[self._name(place)], begins[self._name(place)]))
                while left:
                    for place, records in (await consumer.getmany(*left, timeout_ms=POLL_MS)).items():
                        for record in records:
                            if record.offset < end[self._name(place)]:
                                yield self._seen(record)
                    left = {place for place in left if await consumer.position(place) < end[self._name(place)]}
        except (KafkaError, OSError) as error:
            raise KafkaUnavailable from error

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **self._kafka.options(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=POLL_MS,
        )
        try:
            await consumer.start()
            yield consumer
        finally:
            with contextlib.suppress(KafkaError, TimeoutError, OSError):
                await asyncio.wait_for(consumer.stop(), 10)

    async def _places(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        # A consumer without a subscription fetches no metadata by itself, and has no public method to ask for it.
        await consumer._client.set_topics(list(self._topics))
        numbers = {name: consumer.partitions_for_topic(name) for name in self._topics}
        if not all(numbers.values()):
            raise KafkaError("a topic is not there yet")
        return [TopicPartition(name, number) for name in self._topics for number in sorted(numbers[name] or ())]

    def _name(self, place: TopicPartition) -> Place:
        return self._topics[place.topic].name, place.partition

    def _named(self, offsets: Mapping[TopicPartition, int]) -> Positions:
        return {self._name(place): offset for place, offset in offsets.items()}

    def _seen(self, record: Any) -> Seen:
        place = self._topics[record.topic].name, record.partition
        if record.value is None:
            return Seen(place, record.offset, None)
        try:
            event = decode(record.headers, record.value)
        except Poison:
            return Seen(place, record.offset, None)
        except MemoryError:
            raise
        except Exception as error:  # a bug of the decoder; the consumer has set the record aside, so it is passed over
            log.error("record_undecodable", topic=record.topic, offset=record.offset, exc_info=error)
            return Seen(place, record.offset, None)
        return Seen(place, record.offset, event)
