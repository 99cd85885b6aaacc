"""The consumer loop: one poll is one transaction of cursor, handlers, parked records and outbox.

The cursor lives in PostgreSQL beside the state, so a record's effect and the fact that it was read are one commit;
the group's own offset follows for lag tools only. A replica that lost a partition is fenced by the cursor's epoch.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from shared.db import cursors
from shared.db.cursors import Advance, Cursor, Fenced
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import Halt, Transient, Unavailable
from shared.kafka.admin import Admin
from shared.kafka.dead_letter import RawRecord, park
from shared.kafka.decoding import Work, fingerprint, work_of
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
from shared.topics import Topic
from shared.verdicts import BatchHandler, Outcome, Verdict

log = get_logger(__name__)
MAX_RECORDS = 5_000
POLL_MS = 50
STALL_SECONDS = 60.0
STALLS_BEFORE_EXIT = 3


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """What a consumer reads and how. `group` and topic names get the prefix of the environment."""

    service: str
    topics: tuple[Topic, ...]
    bootstrap_servers: str
    topic_prefix: str = ""
    owner: str = "replica"
    dead_letter_limit: int = 1_000
    max_records: int = MAX_RECORDS
    session_timeout_ms: int = 15_000

    @property
    def group(self) -> str:
        """The consumer group, one a service."""
        return f"{self.topic_prefix}tellback-{self.service}"


@dataclass(slots=True)
class Batch:
    """What one poll brought from one partition: where it begins, and the work in offset order."""

    cursor: Cursor
    records: Sequence[Any]
    work: list[Work] = field(default_factory=list)


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
        self._cursors: dict[TopicPartition, Cursor] = {}
        self._partitions: dict[str, int] = {}
        self._stopping = asyncio.Event()
        self._cluster_id = ""
        self._stalls = 0
        self._last_progress = time.monotonic()

    @property
    def ready(self) -> bool:
        """Whether this replica has joined and every partition it was given has its cursor."""
        return self._rebalance.consumer is not None and self._joined() and not self._rebalance.unloaded

    def _joined(self) -> bool:
        consumer = self._rebalance.consumer
        return consumer is not None and bool(consumer.assignment() or self._rebalance.assigned)

    async def stop(self) -> None:
        """Take no more, finish the batch at hand, then let `run` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped. Raises `Halt` when an operator must decide, or whatever a handler did not expect."""
        while not self._stopping.is_set():
            consumer = self._consumer()
            try:
                await self._session(consumer)
            except (KafkaError, OSError, Unavailable) as error:
                log.warning("consumer_lost_kafka", service=self._config.service, error=type(error).__name__)
                await self._pause(1.0)
            finally:
                self._rebalance.consumer = None
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
            heartbeat_interval_ms=3_000,
            partition_assignment_strategy=(RangePartitionAssignor,),
            max_partition_fetch_bytes=1_048_576,
            metadata_max_age_ms=30_000,
        )

    async def _session(self, consumer: AIOKafkaConsumer) -> None:
        """One life of a consumer, from joining the group to leaving it."""
        self._cursors.clear()
        self._rebalance.assigned.clear()
        self._rebalance.unloaded.clear()
        self._rebalance.consumer = consumer
        consumer.subscribe(list(self._topics), listener=self._rebalance)
        await consumer.start()
        async with Admin.connected(self._config.bootstrap_servers) as admin:
            self._cluster_id = await admin.cluster_id()
        self._last_progress = time.monotonic()
        while not self._stopping.is_set():
            polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=self._config.max_records)
            async with self._rebalance.busy:
                await self._load_cursors(consumer)
                batches = await self._batches(consumer, polled)
                if batches:
                    await self._apply_with_retries(consumer, batches)
                    self._last_progress = time.monotonic()
                    self._stalls = 0
            if not batches and time.monotonic() - self._last_progress > STALL_SECONDS:
                await self._watch(consumer)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    # --- cursors -----------------------------------------------------------------------------------------------

    async def _load_cursors(self, consumer: AIOKafkaConsumer) -> None:
        """Claim what was newly assigned and seek there; forget what went."""
        assignment = consumer.assignment()
        for place in set(self._cursors) - assignment:
            del self._cursors[place]
        wanted = sorted(self._rebalance.unloaded & assignment)
        if not wanted:
            return
        beginnings = await consumer.beginning_offsets(wanted)
        ends = await consumer.end_offsets(wanted)
        try:
            for place in wanted:
                self._cursors[place] = await self._claim(consumer, place, beginnings[place], ends[place])
                self._rebalance.unloaded.discard(place)
                consumer.resume(place)
        except Unavailable as error:
            log.warning("cursors_wait_for_database", service=self._config.service, code=error.code)
            await self._pause(1.0)

    async def _claim(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, beginning: int, end: int
    ) -> Cursor:
        async def work(tx: WriteTx) -> Cursor:
            return await cursors.claim(
                tx, place.topic, place.partition, beginning, self._config.owner, self._cluster_id
            )

        cursor = await self._database.retrying(work)
        replaced = cursor.cluster_id and self._cluster_id and cursor.cluster_id != self._cluster_id
        if replaced or end < cursor.next_offset:
            raise Halt(
                "kafka_replaced",
                f"{place.topic}/{place.partition} is not the log this service has read so far (another cluster, or"
                f" its end {end} lies before the cursor {cursor.next_offset}); restore Kafka, or run"
                " `tellback replay` to begin anew knowingly",
            )
        if not self._topics[place.topic].compacted:
            self._check_gap(place, cursor, beginning)
        # Begin one record early where possible: it tells a restored topic from the one that was read.
        probe = cursor.last_offset is not None and beginning <= cursor.last_offset < cursor.next_offset
        consumer.seek(place, cursor.last_offset if probe else cursor.next_offset)
        if place.topic not in self._partitions:
            self._partitions[place.topic] = len(consumer.partitions_for_topic(place.topic) or ())
        return cursor

    @staticmethod
    def _check_gap(place: TopicPartition, cursor: Cursor, beginning: int) -> None:
        if beginning > cursor.next_offset:
            raise Halt(
                "retention_gap",
                f"{place.topic}/{place.partition}: retention has deleted {beginning - cursor.next_offset} records that"
                " were never read; `tellback resume --accept-gap` goes on without them and records the gap",
            )

    # --- one poll ----------------------------------------------------------------------------------------------

    async def _batches(
        self, consumer: AIOKafkaConsumer, polled: Mapping[TopicPartition, Sequence[Any]]
    ) -> list[Batch]:
        batches = []
        for place in sorted(polled):
            cursor, records = self._cursors.get(place), list(polled[place])
            if cursor is None or not records:
                continue
            if records[0].offset == cursor.last_offset and cursor.last_fingerprint is not None:
                self._check_probe(place, cursor, records.pop(0))
                if not records:
                    continue
            if records[0].offset < cursor.next_offset:
                # Fetched before the seek took effect; the right records come with the next poll.
                consumer.seek(place, cursor.next_offset)
                continue
            if records[0].offset > cursor.next_offset and not self._topics[place.topic].compacted:
                self._check_gap(place, cursor, (await consumer.beginning_offsets([place]))[place])
            batches.append(self._decoded(cursor, place, records))
        return batches

    def _decoded(self, cursor: Cursor, place: TopicPartition, records: Sequence[Any]) -> Batch:
        topic, partitions = self._topics[place.topic], self._partitions[place.topic]
        return Batch(
            cursor, records, [work_of(record, topic, partitions, self._handlers) for record in records]
        )

    @staticmethod
    def _check_probe(place: TopicPartition, cursor: Cursor, record: Any) -> None:
        if fingerprint(record) != cursor.last_fingerprint:
            raise Halt(
                "kafka_replaced",
                f"{place.topic}/{place.partition}: another record lies at offset {record.offset} than the one read"
                " there; restore Kafka, or run `tellback replay` to begin anew knowingly",
            )

    async def _apply_with_retries(self, consumer: AIOKafkaConsumer, batches: list[Batch]) -> None:
        """Write the batches; wait out trouble with the database without leaving the group."""
        delay = 0.1
        while batches:
            try:
                await self._apply(batches)
                await self._commit_group(consumer, batches)
                return
            except Fenced as error:
                log.warning("fenced", service=self._config.service, partitions=len(error.places))
                lost = {TopicPartition(*place) for place in error.places}
                batches = [b for b in batches if TopicPartition(*b.cursor.place) not in lost]
                self._rejoin(consumer, lost)
            except (Unavailable, Transient) as error:
                log.warning("batch_waits", service=self._config.service, code=error.code, seconds=delay)
                await self._wait_in_group(consumer, delay)
                delay = min(delay * 2, 5.0)
                if self._stopping.is_set():
                    return

    def _rejoin(self, consumer: AIOKafkaConsumer, lost: Iterable[TopicPartition]) -> None:
        """Drop the work of fenced partitions; those still assigned here claim their cursor anew."""
        for place in lost:
            self._cursors.pop(place, None)
            if place in consumer.assignment():
                consumer.pause(place)
                self._rebalance.unloaded.add(place)

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
            advances = [await self._apply_one(tx, batch) for batch in ordered]
            await cursors.advance(tx, advances)
        for batch, done in zip(ordered, advances, strict=True):
            cursor = batch.cursor
            cursor.next_offset, cursor.last_offset = done.next_offset, done.last_offset
            cursor.last_fingerprint = done.last_fingerprint
            self._count(batch, done)
        if self._after_commit is not None:
            self._after_commit()

    async def _apply_one(self, tx: WriteTx, batch: Batch) -> Advance:
        verdicts: list[Verdict] = []
        for handler, group in groupby(batch.work, key=lambda work: work.handler):
            run = list(group)
            if handler is None:
                verdicts += [work.verdict for work in run if work.verdict is not None]
                continue
            received = [work.received for work in run if work.received is not None]
            answers = await handler(tx, received)
            if len(answers) != len(received):
                raise TypeError(
                    f"a handler of {batch.cursor.topic} answered {len(answers)} of {len(received)} records"
                )
            verdicts += answers
        parked: list[tuple[RawRecord, Verdict]] = [
            (work.raw, verdict)
            for work, verdict in zip(batch.work, verdicts, strict=True)
            if verdict.outcome in (Outcome.CONFLICT, Outcome.DEAD_LETTERED)
        ]
        await park(
            tx,
            self._config.topic_prefix,
            parked,
            service=self._config.service,
            limit=self._config.dead_letter_limit,
        )
        last = batch.records[-1]
        counts = Counter(verdict.outcome for verdict in verdicts)
        shown = [verdict for _, verdict in parked]
        return Advance(batch.cursor, last.offset + 1, last.offset, fingerprint(last), dict(counts), shown)

    def _count(self, batch: Batch, done: Advance) -> None:
        topic = self._topics[batch.cursor.topic].name
        for outcome, count in done.counts.items():
            records_read_total.labels(topic, outcome.value).inc(count)
        for verdict in done.parked:
            counter = dlq_records_total if verdict.outcome is Outcome.DEAD_LETTERED else conflicts_total
            counter.labels(verdict.reason).inc()

    async def _commit_group(self, consumer: AIOKafkaConsumer, batches: Sequence[Batch]) -> None:
        """Tell Kafka too, for lag tools; a failure changes nothing."""
        offsets = {TopicPartition(*batch.cursor.place): batch.cursor.next_offset for batch in batches}
        newest = {TopicPartition(*batch.cursor.place): batch.records[-1].timestamp for batch in batches}
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(consumer.commit(offsets), 5)
        for place in offsets:
            high = consumer.highwater(place) if place in consumer.assignment() else None
            if high is not None:
                labels = (self._config.group, self._topics[place.topic].name, str(place.partition))
                behind = max(0, high - offsets[place])
                consumer_lag_records.labels(*labels).set(behind)
                age = time.time() - newest[place] / 1000 if behind else 0.0
                consumer_lag_seconds.labels(*labels).set(max(0.0, age))

    # --- watchdog ----------------------------------------------------------------------------------------------

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Nothing came for a minute although there is something to read: rebuild the consumer, the third time stop."""
        self._last_progress = time.monotonic()
        if not self._cursors:
            return
        ends = await consumer.end_offsets(list(self._cursors))
        if all(ends[place] <= cursor.next_offset for place, cursor in self._cursors.items()):
            return
        self._stalls += 1
        if self._stalls >= STALLS_BEFORE_EXIT:
            raise Halt("consumer_stalled", "records lie ready and none arrives; the process starts anew")
        consumer_rebuilds_total.inc()
        raise KafkaError("consumer stalled")
