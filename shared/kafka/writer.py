"""Writes polled batches: waits out trouble of the infrastructure, and isolates a failure to the record that causes it.

A transaction that fails by an unforeseen error is rolled back. Its records are written again in smaller pieces, until
the record that fails by itself is found; that record is tried a few times more, then set aside, and the records behind
it go on. Where every record fails, our own code is at fault, and reading halts.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.db import cursors, set_aside
from shared.db.cursors import Advance, Cursor, Fenced, Place
from shared.db.engine import Database, DatabaseRefuses, StatementTimedOut, misfits
from shared.errors import Halt, Transient, Unavailable, cause_of
from shared.kafka import batch as batches
from shared.kafka.assignment import Assignment
from shared.kafka.backlog import Backlog, is_suspect
from shared.kafka.batch import PolledBatch, RunnerConfig
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import (
    batches_split_total,
    conflicts_total,
    dlq_records_total,
    handler_errors_total,
    records_read_total,
    waiting,
)
from shared.telemetry.tracebacks import kind_of
from shared.verdicts import Outcome

log = get_logger(__name__)
BATCH_SECONDS = 60.0
"""A transaction that takes longer counts as failed."""
TRIES = (0.1, 0.4, 1.5)
"""Seconds between the tries of a single failing record."""
TIMEOUTS, TIMEOUTS_OF_ONE = 3, 10
"""Statement timeouts in a row after which smaller pieces are tried, and after which a single record is at fault
itself."""
WAIT_LIMIT = 60.0
"""Seconds after which waiting for the database is reported; if the database refuses us for that long, reading halts."""
JUDGED_AFTER = 20
"""Records set aside in ten minutes, after which it is checked whether any record can be applied at all."""


class Member:
    """A member of the consumer group while it writes: it can wait without losing its partitions, and give some up."""

    def __init__(self, consumer: AIOKafkaConsumer, assignment: Assignment, stopping: asyncio.Event) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._stopping = stopping

    @property
    def stopping(self) -> bool:
        """Whether the process is about to end."""
        return self._stopping.is_set()

    def give_up(self, places: Iterable[Place]) -> None:
        """Leave these partitions to the next replica that claims them, which may be this one."""
        self._assignment.give_up([TopicPartition(*place) for place in places])

    async def wait(self, seconds: float) -> None:
        """Wait, or until the process stops. Meanwhile paused partitions are polled, which keeps the membership."""
        assigned = self._consumer.assignment()
        paused = set(self._consumer.paused())
        self._consumer.pause(*assigned)
        await self._consumer.getmany(timeout_ms=int(seconds * 1000))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds / 10)
        resume = (assigned & self._consumer.assignment()) - paused
        if resume:
            self._consumer.resume(*resume)


class Writer:
    """Writes the batches of a service's consumer, each in one transaction of cursor, handlers, parked records and
    outbox. `written` is called with every batch after its commit."""

    def __init__(
        self, config: RunnerConfig, database: Database, written: Callable[[Sequence[PolledBatch]], None]
    ) -> None:
        self._config = config
        self._database = database
        self._written = written
        self._known_faults: set[tuple[str, str]] = set()
        self._suspected: set[tuple[Place, int]] = set()
        self._waiting_since: float | None = None
        self._told: set[str] = set()
        self._delay = 0.1
        self._timeouts = 0

    async def write(self, member: Member, polled: Iterable[PolledBatch]) -> None:
        """Write all records, or give up those of lost partitions. Raises `Halt` when an operator must decide."""
        backlog = Backlog(polled)
        while backlog:
            try:
                if (seconds := backlog.wait()) > 0:
                    await member.wait(seconds)
                await self._write_piece(backlog)
                self._works()
            except Fenced as error:
                log.warning("fenced", service=self._config.service, partitions=len(error.places))
                backlog.drop(error.places)
                member.give_up(error.places)
            except (Unavailable, Transient) as error:
                await self._wait(member, error)
            if member.stopping and backlog:
                await self._hand_over(backlog.cursors)
                member.give_up([cursor.place for cursor in backlog.cursors])
                return

    async def _write_piece(self, backlog: Backlog) -> None:
        piece = backlog.piece()
        if is_suspect(piece[0].cursor) and await self._killed(backlog, piece):
            return
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                await self._apply(piece)
        except StatementTimedOut as error:
            if not await self._too_slow(backlog, piece, error):
                raise
        except (Unavailable, Transient, Halt, Fenced, MemoryError):
            raise
        except Exception as error:  # unforeseen: isolated below, logged with its traceback when set aside
            if misfits(error):
                log.error("database_refuses", service=self._config.service, exc_info=error)
                raise DatabaseRefuses from error
            await self._isolate(backlog, piece, error, TRIES)
        else:
            self._timeouts = 0
            backlog.done(piece)

    async def _hand_over(self, handed: Sequence[Cursor]) -> None:
        """Record in the cursors that this process gives the partitions up alive."""
        with contextlib.suppress(Unavailable):
            async with self._database.write() as tx:
                await cursors.trust(tx, handed)

    async def _apply(self, piece: Sequence[PolledBatch]) -> None:
        ordered = sorted(piece, key=lambda batch: batch.cursor.place)
        async with self._database.write() as tx:
            await cursors.require(tx, [batch.cursor for batch in ordered])
            advances = await batches.apply_all(tx, ordered, self._config)
            await cursors.advance(tx, advances)
        self._moved(ordered, advances)

    def _moved(self, piece: Sequence[PolledBatch], advances: Sequence[Advance]) -> None:
        """After the commit: move the cursors in memory, and count the outcomes."""
        for batch, done in zip(piece, advances, strict=True):
            cursor = batch.cursor
            cursor.next_offset, cursor.last_offset = done.next_offset, done.last_offset
            cursor.last_fingerprint = done.last_fingerprint
            topic = cursor.topic.removeprefix(self._config.topic_prefix)
            for outcome, count in done.counts.items():
                records_read_total.labels(topic, outcome.value).inc(count)
            for verdict in done.parked:
                counter = dlq_records_total if verdict.outcome is Outcome.DEAD_LETTERED else conflicts_total
                counter.labels(verdict.reason).inc()
        self._written(piece)

    async def _too_slow(self, backlog: Backlog, piece: Sequence[PolledBatch], error: StatementTimedOut) -> bool:
        """Whether a statement timeout is due to the piece itself rather than to a busy database; if so, the piece is
        isolated."""
        self._timeouts += 1
        single = sum(len(batch.records) for batch in piece) == 1
        if self._timeouts < (TIMEOUTS_OF_ONE if single else TIMEOUTS):
            return False
        self._timeouts = 0
        await self._isolate(backlog, piece, error, ())
        return True

    async def _isolate(
        self, backlog: Backlog, piece: Sequence[PolledBatch], error: Exception, waits: Sequence[float]
    ) -> None:
        """Make the piece smaller; a single record is tried again, and set aside when its tries are used up."""
        topic = piece[0].cursor.topic.removeprefix(self._config.topic_prefix)
        if backlog.narrow(piece):
            batches_split_total.labels(topic).inc()
            return
        [record] = piece[0].records
        cause = cause_of(error)
        name = record.received.event.name if record.received is not None else ""
        fault = (name, kind_of(cause))
        handler_errors_total.labels(topic, *fault).inc()
        # A fault that set aside an earlier record of this event type is not retried again.
        if fault not in self._known_faults and backlog.again(piece, waits):
            return
        await self._require_something_works(backlog, piece, cause)
        log.error("record_set_aside", topic=topic, name=name, offset=record.record.offset, exc_info=cause)
        await self._set_aside(backlog, piece, cause)
        self._known_faults.add(fault)

    async def _killed(self, backlog: Backlog, piece: Sequence[PolledBatch]) -> bool:
        """For the next record of a partition on which processes died: note its offset before it is tried, so that the
        next process knows; if another process has noted it, set it aside untried. Returns whether it was set aside."""
        cursor, offset = piece[0].cursor, piece[0].records[0].record.offset
        if cursor.suspect_offset != offset or (cursor.place, offset) in self._suspected:
            self._suspected.add((cursor.place, offset))
            async with self._database.write() as tx:
                await cursors.require(tx, [cursor])
                await cursors.suspect(tx, cursor, offset)
            return False
        log.error("record_set_aside", topic=cursor.topic, offset=offset, reason="processes died on it")
        await self._set_aside(backlog, piece, None)
        return True

    async def _set_aside(self, backlog: Backlog, piece: Sequence[PolledBatch], cause: Exception | None) -> None:
        async with self._database.write() as tx:
            await cursors.require(tx, [piece[0].cursor])
            advance = await batches.set_aside(tx, piece[0], cause, self._config)
            await cursors.advance(tx, [advance])
        self._moved(piece, [advance])
        backlog.done(piece)

    async def _require_something_works(self, backlog: Backlog, piece: Sequence[PolledBatch], cause: Exception) -> None:
        """Raises `Halt` where every record fails, or where no more records may be set aside."""
        async with self._database.read() as tx:
            if await set_aside.recent(tx, self._config.version) < JUDGED_AFTER:
                return
            full = await set_aside.full(tx)
        if full:
            raise Halt("set_aside_full", "too many records are set aside: see `tellback dlq list`, and mend the cause")
        for other in backlog.others(piece, JUDGED_AFTER):
            if await self._would_work(other):
                return
        raise Halt(
            "handler_fails",
            f"{JUDGED_AFTER} records were set aside in ten minutes and none at hand can be applied"
            f" ({kind_of(cause)}): go back to the release before, or install one that mends it",
        )

    async def _would_work(self, batch: PolledBatch) -> bool:
        """Whether this record could be applied: it is handled in a transaction that is rolled back. The record is tried
        before its turn, so the trial must have no effect."""
        try:
            async with asyncio.timeout(BATCH_SECONDS), self._database.write() as tx:
                await cursors.require(tx, [batch.cursor])
                await batches.apply_all(tx, [batch], self._config)
                raise _Undone
        except _Undone:
            return True
        except (Unavailable, Transient, Halt, Fenced, MemoryError):
            raise
        except Exception as error:
            log.warning("trial_failed", offset=batch.records[0].record.offset, error=kind_of(cause_of(error)))
            return False

    async def _wait(self, member: Member, error: Unavailable | Transient) -> None:
        """Wait for an unavailable database without leaving the group; a wait of more than a minute is reported. Raises
        `Halt` when the database refuses us."""
        log.warning("batch_waits", service=self._config.service, code=error.code, seconds=self._delay)
        now = time.monotonic()
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since > WAIT_LIMIT:
            waiting.labels(error.code).set(1)
            self._told.add(error.code)
            if isinstance(error, DatabaseRefuses):
                raise Halt("database_refuses", error.detail) from error
        await member.wait(self._delay)
        self._delay = min(self._delay * 2, 5.0)

    def _works(self) -> None:
        for code in self._told:
            waiting.labels(code).set(0)
        self._told.clear()
        self._waiting_since, self._delay = None, 0.1


class _Undone(Exception):
    """Raised to roll back the transaction of a trial."""
