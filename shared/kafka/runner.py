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

from shared.db.cursors import Cursor
from shared.db.engine import Database
from shared.errors import Halt, Unavailable
from shared.kafka.admin import Admin
from shared.kafka.assignment import Assignment
from shared.kafka.batch import Batch, RunnerConfig
from shared.kafka.decoding import Work, work_of
from shared.kafka.lag import Lag
from shared.kafka.rebalance import Rebalance
from shared.kafka.retries import Retries
from shared.kafka.writer import Member, Writer
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import consumer_rebuilds_total, halted
from shared.verdicts import BatchHandler

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
MAX_POLL_MS = 300_000
"""Longer than a turn may take, whose transactions have deadlines of their own; whether we live, heartbeats tell."""
COMMIT_SECONDS = 1.0
HEARTBEAT_MS = 3_000
"""At most, and a third of the session time: a member learns by it that others came or went, and meanwhile nobody reads
what was theirs."""
STALL_SECONDS = 60.0
STALLS_BEFORE_HALT = 3
STOP_SECONDS = 15.0
HALT_SECONDS = 30.0
"""Between two looks whether reading may go on after it halted."""
WORKS_AGAIN_SECONDS = 10.0
"""A consumer that has lived so long with nothing to read is not halted any more."""


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
        self._handlers = handlers
        self._database = database
        self._after_commit = after_commit or _nothing
        self._topics = {config.topic_prefix + topic.name: topic for topic in config.topics}
        self._writer = Writer(config, database, self._written)
        self._retries = Retries(config, database, self._topics, handlers, self._after_commit)
        self._lag = Lag(config, database)
        self._halted: Halt | None = None
        self._began = 0.0
        self._rebalance = Rebalance()
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stalls = 0
        self._last_progress = time.monotonic()
        self._uncommitted: dict[TopicPartition, int] = {}
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

    @property
    def remark(self) -> str | None:
        """What keeps this replica from reading, for people; None while it reads."""
        if self._halted is not None:
            return f"halted: {self._halted.code}: {self._halted.detail}"
        return None if self.ready else "the consumer has no partitions yet"

    async def run(self) -> None:
        """Consume until stopped. Where an operator must decide, reading halts: the process stays, and it is looked
        every 30 s whether reading may go on."""
        self._idle.clear()
        try:
            while not self._stopping.is_set():
                try:
                    await self._live_once()
                except Halt as halt:
                    self._halt(halt)
                    await self._pause(HALT_SECONDS)
        finally:
            self._idle.set()

    async def observe(self) -> None:
        """Set the metrics of lag and of what was set aside, also while reading halts. Raises `Unavailable`."""
        await self._retries.observe()
        await self._lag.ask()

    def _halt(self, halt: Halt) -> None:
        if self._halted is None or self._halted.code != halt.code:
            log.critical("consumer_halted", service=self._config.service, code=halt.code, detail=halt.detail)
        self._goes_on()
        halted.labels(halt.code).set(1)
        self._halted = halt

    def _goes_on(self) -> None:
        if self._halted is not None:
            halted.labels(self._halted.code).set(0)
            self._halted = None

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
            max_poll_interval_ms=MAX_POLL_MS,
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
        self._began = time.monotonic()
        assignment = Assignment(self._config.service, consumer, self._rebalance, self._database, self._topics)
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
        """Claim what was newly assigned, try again what was set aside, then write what was polled. A batch is written,
        or its cursor dropped."""
        async with self._rebalance.busy:
            await self._load(assignment, cluster_id)
            await self._retries.look(assignment)
            batches = [
                Batch(cursor, work)
                for place, cursor, polled in ahead
                if assignment.cursors.get(place) is cursor and (work := await assignment.unread(place, polled))
            ]
            if batches:
                await self._writer.write(Member(consumer, assignment, self._stopping), batches)
                self._last_progress = time.monotonic()
                self._stalls = 0
            if batches or (self.ready and time.monotonic() - self._began > WORKS_AGAIN_SECONDS):
                self._goes_on()
            await self._commit_group(consumer, idle=not batches)
        if not batches and time.monotonic() - self._last_progress > STALL_SECONDS:
            await self._watch(consumer, assignment)

    async def _load(self, assignment: Assignment, cluster_id: str) -> None:
        try:
            await self._retries.renew(await assignment.load(self._config.owner, cluster_id))
        except Unavailable as error:
            log.warning("cursors_wait_for_database", service=self._config.service, code=error.code)
            await self._pause(1.0)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _written(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self._uncommitted[TopicPartition(*batch.cursor.place)] = batch.work[-1].record.offset + 1
        self._after_commit()

    async def _commit_group(self, consumer: AIOKafkaConsumer, *, idle: bool) -> None:
        """Tell Kafka too, for lag tools, when there is time and at least every second; a failure changes nothing.
        Between two assignments the group would refuse it, and have this member join once more."""
        due = idle or time.monotonic() - self._committed_at > COMMIT_SECONDS
        if not self._uncommitted or not due or self._rebalance.moving:
            return
        newest, self._uncommitted = self._uncommitted, {}
        # A place that went to another replica would have the whole commit refused.
        newest = {place: offset for place, offset in newest.items() if place in consumer.assignment()}
        self._committed_at = time.monotonic()
        if newest:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(consumer.commit(newest), 5)

    async def _watch(self, consumer: AIOKafkaConsumer, assignment: Assignment) -> None:
        """Nothing came for a minute although there is something to read: rebuild the consumer, the third time halt."""
        self._last_progress = time.monotonic()
        ends = await consumer.end_offsets(list(assignment.cursors)) if assignment.cursors else {}
        if all(end <= assignment.cursors[place].next_offset for place, end in ends.items()):
            return
        self._stalls += 1
        if self._stalls >= STALLS_BEFORE_HALT:
            raise Halt("consumer_stalled", "records lie ready and none arrives: look at Kafka and the network")
        consumer_rebuilds_total.inc()
        raise KafkaError("consumer stalled")


def _nothing() -> None:
    """For whoever need not be told of a commit."""
