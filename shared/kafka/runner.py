"""The consumer loop: one poll is one transaction of cursor, handlers, parked records and outbox.

The cursor lives in PostgreSQL beside the state, so a record's effect and the fact that it was read are one commit;
the group's own offset follows for lag tools only. A replica that lost a partition is fenced by the cursor's epoch.
With more records waiting than a poll takes, the next poll is read and decoded while PostgreSQL works on this one, so
that neither waits for the other. Otherwise the next poll is read after it, and has all that came meanwhile.
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
from shared.kafka.batch import PolledBatch, RunnerConfig
from shared.kafka.decoding import PolledRecord, decode_record
from shared.kafka.lag import Lag
from shared.kafka.probe import FORBIDDEN, right_missing
from shared.kafka.rebalance import Rebalance
from shared.kafka.retries import Retries
from shared.kafka.writer import Member, Writer
from shared.stopping import CONSUMERS, within
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import consumer_rebuilds_total, halted
from shared.verdicts import BatchHandler

log = get_logger(__name__)
POLL_MS = 50
SLICE = 100
"""Records decoded in one go before requests and the batch in progress get a turn: about half a millisecond."""
FETCH_BYTES = 2_097_152
"""Bytes fetched from each partition at once: enough for several polls, so that none waits for the next fetch."""
FETCH_WAIT_MS = 50
"""How long the broker may hold back an empty fetch response (long poll). While records of some partitions wait for
their turn, only the other partitions are fetched; until that fetch is answered, nobody fetches from the first ones
again, although their records may have been taken long since. With Kafka's 500 ms that was by far the longest wait of a
record."""
IDLE_AFTER_SECONDS = 2.0
IDLE_WAIT_MS = 200
"""With nothing to read for so long, polls and empty fetches may take this long, since an idle installation does hardly
anything else. A fetch is answered at once when there is a record of any partition."""
MAX_POLL_MS = 300_000
"""Longer than any turn takes, since its transactions have deadlines of their own; heartbeats tell whether the member
lives."""
COMMIT_SECONDS = 1.0
HEARTBEAT_MS = 3_000
"""The longest heartbeat interval, and at most a third of the session timeout: a heartbeat tells a member that others
came or went, and until then nobody reads their partitions."""
STALL_SECONDS = 60.0
STALLS_BEFORE_HALT = 3
HALT_SECONDS = 30.0
"""Pause between two checks whether a halted consumer may read on."""
WORKS_AGAIN_SECONDS = 10.0
"""A consumer that has run this long with nothing to read counts as no longer halted."""


class Ahead(NamedTuple):
    """Records that were read and decoded ahead of their turn. They are valid as long as their cursor is: if the
    partition was lost or claimed anew since, they are dropped."""

    place: TopicPartition
    cursor: Cursor
    records: Sequence[PolledRecord]


class Runner:
    """The consumer of a service's topics; see the module's docstring. `handlers`: one literal table event name -> batch
    handler, complete for the topics. `after_commit` is called after every committed batch (wake the relay, the
    projector)."""

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
        """Whether this replica has joined the consumer group and has loaded the cursor of every assigned partition."""
        return self._rebalance.joined and not self._rebalance.unloaded

    async def stop(self) -> None:
        """Start no further batch, finish the one in progress, and wait (at most 2 s) until `run` has returned."""
        self._stopping.set()
        await within(CONSUMERS, self._idle.wait())

    @property
    def remark(self) -> str | None:
        """Why this replica does not read, for people; None while it reads."""
        if self._halted is not None:
            return f"halted: {self._halted.code}: {self._halted.detail}"
        return None if self.ready else "the consumer has no partitions yet"

    def is_within(self, seconds: float) -> bool:
        """Whether everything that was recorded up to so many seconds ago has been read."""
        return self._halted is None and self._lag.within(seconds)

    async def run(self) -> None:
        """Consume until stopped. Where an operator must decide, reading halts: the process stays, and checks every 30 s
        whether reading may go on."""
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
        """Set the metrics of lag and of records set aside, also while reading halts. Raises `Unavailable`."""
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
        consumer: AIOKafkaConsumer | None = None
        try:
            consumer = self._consumer()
            await self._session(consumer)
        except FORBIDDEN as error:
            raise Halt("kafka_forbids", right_missing(error)) from error
        except (KafkaError, OSError, Unavailable) as error:
            log.warning("consumer_lost_kafka", service=self._config.service, error=type(error).__name__)
            await self._pause(1.0)
        finally:
            self._rebalance.end()
            if consumer is not None:
                with contextlib.suppress(KafkaError, TimeoutError, OSError):
                    await asyncio.wait_for(consumer.stop(), 10)

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **self._config.kafka.options(),
            group_id=self._config.group,
            client_id=self._config.owner,
            enable_auto_commit=False,
            # The assignment seeks each partition to its cursor. A jump of the fetcher (retention, wiped topic) shows as
            # an offset other than the cursor's, which Assignment.unread checks, so nothing is skipped in silence.
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
        """The lifetime of one consumer, from joining the group to leaving it."""
        self._rebalance.begin(consumer)
        self._began = time.monotonic()
        assignment = Assignment(
            self._config.service,
            consumer,
            self._rebalance,
            self._database,
            self._topics,
            copies=self._config.copies,
        )
        consumer.subscribe(list(self._topics), listener=self._rebalance)
        await consumer.start()
        async with Admin.connected(self._config.kafka) as admin:
            cluster_id = await admin.cluster_id()
        self._last_progress = time.monotonic()
        turn: asyncio.Task[None] | None = None
        more_waits = False
        try:
            while not self._stopping.is_set():
                if turn is not None and not more_waits:
                    await turn
                idle = time.monotonic() - self._last_progress > IDLE_AFTER_SECONDS
                _let_broker_wait(consumer, IDLE_WAIT_MS if idle else FETCH_WAIT_MS)
                polled = await consumer.getmany(
                    timeout_ms=IDLE_WAIT_MS if idle else POLL_MS, max_records=self._config.max_records
                )
                more_waits = sum(map(len, polled.values())) >= self._config.max_records
                ahead = await self._decoded(assignment, polled)
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
            decoded: list[PolledRecord] = []
            for start in range(0, len(records), SLICE):
                decoded += [
                    decode_record(record, topic, partitions, self._handlers, self._config.plain)
                    for record in records[start : start + SLICE]
                ]
                await asyncio.sleep(0)
            ahead.append(Ahead(place, cursor, decoded))
        return ahead

    async def _turn(
        self, consumer: AIOKafkaConsumer, assignment: Assignment, cluster_id: str, ahead: Sequence[Ahead]
    ) -> None:
        """Claim newly assigned partitions, retry records set aside, then write the polled records. A batch is either
        written or its cursor dropped."""
        async with self._rebalance.busy:
            await self._load(assignment, cluster_id)
            await self._retries.look(assignment)
            batches = []
            for place, cursor, decoded in ahead:
                if assignment.cursors.get(place) is not cursor:
                    continue
                if unread := await assignment.unread(place, decoded):
                    batches.append(PolledBatch(cursor, unread))
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

    def _written(self, batches: Sequence[PolledBatch]) -> None:
        for batch in batches:
            self._uncommitted[TopicPartition(*batch.cursor.place)] = batch.records[-1].record.offset + 1
        self._after_commit()

    async def _commit_group(self, consumer: AIOKafkaConsumer, *, idle: bool) -> None:
        """Commit the offsets to the consumer group too, for lag tools: when idle, and at least every second; a failure
        changes nothing. During a rebalance the group would refuse the commit, and make this member join once more."""
        due = idle or time.monotonic() - self._committed_at > COMMIT_SECONDS
        if not self._uncommitted or not due or self._rebalance.moving:
            return
        newest, self._uncommitted = self._uncommitted, {}
        # One partition that another replica holds by now would have the whole commit refused.
        newest = {place: offset for place, offset in newest.items() if place in consumer.assignment()}
        self._committed_at = time.monotonic()
        if newest:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(consumer.commit(newest), 5)

    async def _watch(self, consumer: AIOKafkaConsumer, assignment: Assignment) -> None:
        """Rebuild the consumer when nothing came for a minute although there are unread records; halt the third
        time."""
        self._last_progress = time.monotonic()
        ends = await consumer.end_offsets(list(assignment.cursors)) if assignment.cursors else {}
        if all(end <= assignment.cursors[place].next_offset for place, end in ends.items()):
            return
        self._stalls += 1
        if self._stalls >= STALLS_BEFORE_HALT:
            raise Halt("consumer_stalled", "records lie ready and none arrives: look at Kafka and the network")
        consumer_rebuilds_total.inc()
        raise KafkaError("consumer stalled")


def _let_broker_wait(consumer: AIOKafkaConsumer, milliseconds: int) -> None:
    """Set how long the broker may hold back the next empty fetch response: aiokafka asks its fetcher each time."""
    consumer._fetcher._fetch_max_wait_ms = milliseconds


def _nothing() -> None:
    """The default of `after_commit`."""
