"""Retries records that were set aside: between two batches, by the consumer that holds their partition.

So an account keeps a single writer, and the counts of the record's own partition are corrected.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from aiokafka import TopicPartition

from shared.db import cursors, set_aside
from shared.db.cursors import Cursor, Fenced
from shared.db.engine import Database, DatabaseRefuses, misfits
from shared.errors import Halt, Transient, Unavailable, cause_of
from shared.isolation import of_the_items
from shared.kafka.assignment import Assignment
from shared.kafka.batch import MUST_APPLY, PolledBatch, RunnerConfig, apply_all
from shared.kafka.decoding import decode_record
from shared.kafka.writer import BATCH_SECONDS
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import must_apply_waiting, set_aside_applied_total, set_aside_records
from shared.telemetry.tracebacks import kind_of, without_data
from shared.topics import Topic
from shared.verdicts import BatchHandler, Outcome

log = get_logger(__name__)
LOOK_SECONDS = 1.0
AT_ONCE = 20
"""Records tried between two batches."""


class Retries:
    """The retries of one service's consumer. `applied` is called after every commit."""

    def __init__(
        self,
        config: RunnerConfig,
        database: Database,
        topics: Mapping[str, Topic],
        handlers: Mapping[str, BatchHandler],
        applied: Callable[[], None],
    ) -> None:
        self._config = config
        self._database = database
        self._topics = topics
        self._handlers = handlers
        self._applied = applied
        self._look_at = 0.0
        self._states: set[tuple[str, str]] = set()

    async def renew(self, claimed: Sequence[Cursor]) -> None:
        """After partitions were claimed: have records on which another version failed tried once more. Raises
        `Unavailable`."""
        if not claimed:
            return
        places = [(self._short(cursor.topic), cursor.partition) for cursor in claimed]
        async with self._database.write() as tx:
            renewed = await set_aside.renew(tx, places, self._config.version)
        if renewed:
            log.info("set_aside_tried_by_this_version", records=renewed, version=self._config.version)

    async def look(self, assignment: Assignment) -> None:
        """Retry the records that are due, at most once a second. While the database is away, they stay due."""
        if not assignment.cursors or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        held = {(self._short(place.topic), place.partition): place for place in assignment.cursors}
        try:
            async with self._database.read_once() as tx:
                due = await set_aside.due(tx, list(held), AT_ONCE)
            for record_id, place, is_deadly in due:
                if is_deadly:
                    async with self._database.write() as tx:
                        await set_aside.put_off(tx, record_id)
                await self._again(assignment, held[place], record_id)
                if time.monotonic() - self._look_at > LOOK_SECONDS:
                    return  # the rest next time, since batches are waiting
        except (Unavailable, Transient) as error:
            log.warning("retries_wait", code=error.code)

    async def observe(self) -> None:
        """Set the metrics of records set aside. Raises `Unavailable`."""
        async with self._database.read() as tx:
            by_state = await set_aside.counts(tx)
            unapplied = await set_aside.must_apply(tx)
        for labels in self._states | by_state.keys():
            set_aside_records.labels(*labels).set(by_state.get(labels, 0))
        self._states |= by_state.keys()
        for event in MUST_APPLY:
            must_apply_waiting.labels(event).set(unapplied.get(event, 0))

    async def _again(self, assignment: Assignment, place: TopicPartition, record_id: UUID) -> None:
        cursor = assignment.cursors.get(place)
        if cursor is None:
            return
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                await self._apply(cursor, assignment.partitions[place.topic], record_id)
        except Fenced as error:
            assignment.give_up([TopicPartition(*lost) for lost in error.places])
        except Halt:
            raise
        except Exception as error:  # it waits longer, or is given up
            if misfits(error):
                raise DatabaseRefuses from error
            if not of_the_items(error):
                raise
            await self._failed(record_id, cause_of(error))

    async def _apply(self, cursor: Cursor, partitions: int, record_id: UUID) -> None:
        async with self._database.write() as tx:
            await cursors.require(tx, [cursor])
            waiting = await set_aside.take(tx, record_id, self._config.topic_prefix)
            if waiting is None:
                return
            await set_aside.remove(tx, waiting)
            topic = self._topics[cursor.topic]
            record = decode_record(waiting.raw, topic, partitions, self._handlers, self._config.plain)
            [advance] = await apply_all(tx, [PolledBatch(cursor, [record.late()])], self._config)
            await cursors.recount(tx, cursor.place, advance.counts)
        if advance.counts.get(Outcome.DEAD_LETTERED):
            log.warning("set_aside_record_is_poison", topic=cursor.topic, offset=waiting.raw.offset)
        else:
            set_aside_applied_total.labels(self._short(cursor.topic)).inc()
            log.info("set_aside_record_applied", topic=cursor.topic, offset=waiting.raw.offset)
        self._applied()

    async def _failed(self, record_id: UUID, cause: BaseException) -> None:
        async with self._database.write() as tx:
            waiting = await set_aside.take(tx, record_id, self._config.topic_prefix)
            if waiting is not None:
                await set_aside.failed_again(
                    tx, waiting, without_data(cause), self._config.topic_prefix, self._config.service
                )
        log.warning("set_aside_record_fails_still", error=kind_of(cause))

    def _short(self, topic: str) -> str:
        return topic.removeprefix(self._config.topic_prefix)
