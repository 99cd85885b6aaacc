"""The consumer loop: one poll is one transaction of cursor, handlers, parked records and outbox.

The cursor lives in PostgreSQL beside the state, so a record's effect and the fact that it was read are one commit;
the group's own offset follows for lag tools only. A replica that lost a partition is fenced by the cursor's epoch.
While PostgreSQL works on one poll the next one is read and decoded, so that neither waits for the other.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from shared.db import cursors
from shared.db.cursors import Advance, Cursor, Fenced
from shared.db.engine import Database
from shared.errors import Halt, Transient, Unavailable
from shared.kafka.admin import Admin
from shared.kafka.assignment import Assignment
from shared.kafka.batch import Batch, RunnerConfig, apply_all
from shared.kafka.decoding import Work, work_of
from shared.kafka.rebalance import Rebalance
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import (
    conflicts_total,
    consumer_lag_records,
    consumer_lag_seconds,
    consumer_rebuilds_total,
    dlq_records_total,
    records_read_total,
)
from shared.verdicts import BatchHandler, Outcome

log = get_logger(__name__)
POLL_MS = 50
SLICE = 100
"""Records decoded at a stretch, before requests and the batch at hand get a turn: about half a millisecond."""
FETCH_BYTES = 2_097_152
"""Of each partition at once: enough for several polls, so that none waits for the next fetch."""
FETCH_WAIT_MS = 50
"""How long the broker may hold back an answer that has nothing in it. While records of some partitions wait for their
turn the others are asked for alone; until that is answered, nobody asks for the first ones again, although they may
have been taken long since. With Kafka's 500 ms that was the longest wait of a record by far."""
COMMIT_SECONDS = 1.0
HEARTBEAT_MS = 3_000
"""At most, and a third of the session time: a member learns by it that others came or went, and meanwhile nobody reads
what was theirs."""
STALL_SECONDS = 60.0
STALLS_BEFORE_EXIT = 3
STOP_SECONDS = 15.0


class Ahead(NamedTuple):
    """What was read and decoded ahead of its turn. It is worth something as long as its cursor is: one that was lost
    or claimed anew since takes with it what was read under it."""

    place: TopicPartition
    cursor: Cursor
    work: Sequence[Work]


class Runner:
    """Reads a service's topics for ever; see the module's docstring.

    `handlers`: one literal table event name -> batch handler, complete for the topics. `after_commit` is called after
    every committed batch (wake the relay, the projector).
    """

    def __init__(
        self,
        config: RunnerConfig,
        database: Database,
        handlers: Mapping[str, BatchHandler],
        after_commit: Callable[[], None] | None = None,
    ) -> None:
        missing = [name for topic in config.topics for name in topic.events if name not in handlers]
        if missing:
            raise ValueError(f"no handler for {', '.join(missing)}")
        self._config = config
        self._database = database
        self._handlers = handlers
        self._after_commit = after_commit
        self._topics = {config.topic_prefix + topic.name: topic for topic in config.topics}
        self._rebalance = Rebalance()
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stalls = 0
        self._last_progress = time.monotonic()
        self._uncommitted: dict[TopicPartition, Any] = {}
        self._committed_at = time.monotonic()

    @property
    def ready(self) -> bool:
        """Whether this replica has joined the group and every partition it was given has its cursor."""
        return self._rebalance.joined and not self._rebalance.unloaded

    async def stop(self) -> None:
        """Take no more, finish the batch at hand, and wait (at most 15 s) until `run` has returned."""
        self._stopping.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), STOP_SECONDS)

    async def run(self) -> None:
        """Consume until stopped. Raises `Halt` when an operator must decide, or whatever a handler did not expect."""
        self._idle.clear()
        try:
            while not self._stopping.is_set():
                await self._live_once()
        finally:
            self._idle.set()

    async def _live_once(self) -> None:
        consumer = self._consumer()
        try:
            await self._session(consumer)
        except (KafkaError, OSError, Unavailable) as error:
            log.warning("consumer_lost_kafka", service=self._config.service, error=type(error).__name__)
            await self._pause(1.0)
        finally:
            self._rebalance.end()
            with contextlib.suppress(KafkaError, TimeoutError, OSError):
                await asyncio.wait_for(consumer.stop(), 10)

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._config.bootstrap_servers,
            group_id=self._config.group,
            client_id=self._config.owner,
            enable_auto_commit=False,
            # Every partition is sought to its own cursor. A jump of the fetcher (retention, wiped topic) shows as an
            # offset that is not the cursor's and is judged in _check_gap, so nothing is skipped in silence.
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_interval_ms=60_000,
            session_timeout_ms=self._config.session_timeout_ms,
            heartbeat_interval_ms=min(HEARTBEAT_MS, self._config.session_timeout_ms // 3),
            partition_assignment_strategy=(RangePartitionAssignor,),
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            metadata_max_age_ms=30_000,
        )

    async def _session(self, consumer: AIOKafkaConsumer) -> None:
        """One life of a consumer, from joining the group to leaving it."""
        self._rebalance.begin(consumer)
        assignment = Assignment(consumer, self._rebalance, self._database, self._topics)
        consumer.subscribe(list(self._topics), listener=self._rebalance)
        await consumer.start()
        async with Admin.connected(self._config.bootstrap_servers) as admin:
            cluster_id = await admin.cluster_id()
        self._last_progress = time.monotonic()
        turn: asyncio.Task[None] | None = None
        try:
            while not self._stopping.is_set():
                polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=self._config.max_records)
                ahead = await self._decoded(assignment, polled)  # while the poll before is being written
                if turn is not None:
                    await turn
                turn = asyncio.create_task(self._turn(consumer, assignment, cluster_id, ahead))
        finally:
            if turn is not None:
                await asyncio.gather(turn, return_exceptions=True)

    async def _decoded(self, assignment: Assignment, polled: Mapping[TopicPartition, Sequence[Any]]) -> Sequence[Ahead]:
        ahead = []
        for place in sorted(polled):
            cursor, records = assignment.cursors.get(place), polled[place]
            if cursor is None or not records:
                continue
            topic, partitions = self._topics[place.topic], assignment.partitions[place.topic]
            work: list[Work] = []
            for start in range(0, len(records), SLICE):
                work += [
                    work_of(record, topic, partitions, self._handlers, self._config.plain)
                    for record in records[start : start + SLICE]
                ]
                await asyncio.sleep(0)
            ahead.append(Ahead(place, cursor, work))
        return ahead

    async def _turn(
        self, consumer: AIOKafkaConsumer, assignment: Assignment, cluster_id: str, ahead: Sequence[Ahead]
    ) -> None:
        """Claim what was newly assigned, then write what was polled. A batch is written, or its cursor dropped."""
        async with self._rebalance.busy:
            await self._load(assignment, cluster_id)
            batches = [
                Batch(cursor, work)
                for place, cursor, polled in ahead
                if assignment.cursors.get(place) is cursor and (work := await assignment.unread(place, polled))
            ]
            if batches:
                await self._apply_with_retries(consumer, assignment, batches)
                self._last_progress = time.monotonic()
                self._stalls = 0
            await self._commit_group(consumer, idle=not batches)
        if not batches and time.monotonic() - self._last_progress > STALL_SECONDS:
            await self._watch(consumer, assignment)

    async def _load(self, assignment: Assignment, cluster_id: str) -> None:
        try:
            await assignment.load(self._config.owner, cluster_id)
        except Unavailable as error:
            log.warning("cursors_wait_for_database", service=self._config.service, code=error.code)
            await self._pause(1.0)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _apply_with_retries(
        self, consumer: AIOKafkaConsumer, assignment: Assignment, batches: list[Batch]
    ) -> None:
        """Write the batches; wait out trouble with the database without leaving the group."""
        delay = 0.1
        while batches:
            try:
                await self._apply(batches)
                return
            except Fenced as error:
                log.warning("fenced", service=self._config.service, partitions=len(error.places))
                lost = {TopicPartition(*place) for place in error.places}
                batches = [b for b in batches if TopicPartition(*b.cursor.place) not in lost]
                assignment.give_up(lost)
            except (Unavailable, Transient) as error:
                log.warning("batch_waits", service=self._config.service, code=error.code, seconds=delay)
                await self._wait_in_group(consumer, delay)
                delay = min(delay * 2, 5.0)
                if self._stopping.is_set():
                    assignment.give_up([TopicPartition(*batch.cursor.place) for batch in batches])
                    return

    async def _wait_in_group(self, consumer: AIOKafkaConsumer, seconds: float) -> None:
        """Polling paused partitions keeps the membership while nothing can be written."""
        assigned = consumer.assignment()
        paused = set(consumer.paused())
        consumer.pause(*assigned)
        await consumer.getmany(timeout_ms=int(seconds * 1000))
        await self._pause(seconds / 10)
        resume = (assigned & consumer.assignment()) - paused
        if resume:
            consumer.resume(*resume)

    async def _apply(self, batches: Sequence[Batch]) -> None:
        ordered = sorted(batches, key=lambda batch: batch.cursor.place)
        async with self._database.write() as tx:
            await cursors.require(tx, [batch.cursor for batch in ordered])
            advances = await apply_all(tx, ordered, self._config)
            await cursors.advance(tx, advances)
        for batch, done in zip(ordered, advances, strict=True):
            cursor = batch.cursor
            cursor.next_offset, cursor.last_offset = done.next_offset, done.last_offset
            cursor.last_fingerprint = done.last_fingerprint
            self._uncommitted[TopicPartition(*cursor.place)] = batch.work[-1].record
            self._count(batch, done)
        if self._after_commit is not None:
            self._after_commit()

    def _count(self, batch: Batch, done: Advance) -> None:
        topic = self._topics[batch.cursor.topic].name
        for outcome, count in done.counts.items():
            records_read_total.labels(topic, outcome.value).inc(count)
        for verdict in done.parked:
            counter = dlq_records_total if verdict.outcome is Outcome.DEAD_LETTERED else conflicts_total
            counter.labels(verdict.reason).inc()

    async def _commit_group(self, consumer: AIOKafkaConsumer, *, idle: bool) -> None:
        """Tell Kafka too, for lag tools, when there is time and at least every second; a failure changes nothing.
        Between two assignments the group would refuse it, and have this member join once more."""
        due = idle or time.monotonic() - self._committed_at > COMMIT_SECONDS
        if not self._uncommitted or not due or self._rebalance.moving:
            return
        newest, self._uncommitted = self._uncommitted, {}
        # A place that went to another replica would have the whole commit refused.
        newest = {place: record for place, record in newest.items() if place in consumer.assignment()}
        self._committed_at = time.monotonic()
        if not newest:
            return
        offsets = {place: record.offset + 1 for place, record in newest.items()}
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(consumer.commit(offsets), 5)
        for place, position in offsets.items():
            high = consumer.highwater(place) if place in consumer.assignment() else None
            if high is not None:
                labels = (self._config.group, self._topics[place.topic].name, str(place.partition))
                behind = max(0, high - position)
                consumer_lag_records.labels(*labels).set(behind)
                age = time.time() - newest[place].timestamp / 1000 if behind else 0.0
                consumer_lag_seconds.labels(*labels).set(max(0.0, age))

    async def _watch(self, consumer: AIOKafkaConsumer, assignment: Assignment) -> None:
        """Nothing came for a minute although there is something to read: rebuild the consumer, the third time stop."""
        self._last_progress = time.monotonic()
        ends = await consumer.end_offsets(list(assignment.cursors)) if assignment.cursors else {}
        if all(end <= assignment.cursors[place].next_offset for place, end in ends.items()):
            return
        self._stalls += 1
        if self._stalls >= STALLS_BEFORE_EXIT:
            raise Halt("consumer_stalled", "records lie ready and none arrives; the process starts anew")
        consumer_rebuilds_total.inc()
        raise KafkaError("consumer stalled")
