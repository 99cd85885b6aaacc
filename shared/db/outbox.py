"""The outbox: an event is a row of the transaction that caused it; one relay a schema publishes the rows."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from shared.background import patiently
from shared.db.engine import Database
from shared.db.outbox_turns import Outcome, TurnsPutOff, record_of, turn_of
from shared.errors import Unavailable
from shared.records import Record, RecordRefused
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import (
    dlq_records_total,
    outbox_age_seconds,
    outbox_depth_records,
    outbox_published_total,
)

log = get_logger(__name__)
BATCH = 1_000
POLL_SECONDS = 1.0
"""Whoever writes a row wakes the relay of the process; this finds the rows of a process that was killed before."""
LONGEST_PAUSE_SECONDS = 1.0
_RELAY_LOCK = 0x7E12
UNWRITTEN = timedelta(minutes=2)
"""How long what Kafka has acknowledged may be missing on its disk: Linux writes it there within 35 seconds."""


Send = Callable[[Sequence[Record]], Awaitable[Sequence[Exception | None]]]
"""Publishes records in order, within a deadline below 10 s; returns one error or None a record."""

_PENDING = (
    "select id, topic, account_id, record_key, value, headers, partition from outbox where published_at is null"
    " and account_id <> all(cast(:accounts as text[])) and id <> all(cast(:rows as bigint[])) order by id limit :batch"
)
_SEND_AGAIN = """
    update outbox set published_at = null where published_at < :booted_at and published_at >
        (select created_at from outbox where created_at < :booted_at order by id desc limit 1)
        - cast(:unwritten as interval)
"""
"""Rows that were published last before the machine started. The newest row that there was then stands for the moment
of the power cut: it stays the same however often this is run."""
UNPUBLISHABLE = "unpublishable"
"""The reason of a parked row that was never published: the row's id stands for its offset, since it has none in
Kafka."""
_PARK = f"""
    with gone as (delete from outbox where id = any(cast(:ids as bigint[])) returning *)
    insert into parked (id, kind, reason, detail, topic, partition, record_offset, record_key, headers, value,
        account_id)
    select gen_random_uuid(), 'dead_letter', '{UNPUBLISHABLE}', 'Kafka refused it each time, or it is no record',
        topic, coalesce(partition, 0), id, record_key, headers, value, nullif(account_id, '') from gone
"""


class Relay:
    """Publishes the outbox of one schema. Any replica may run it; an advisory lock lets one at a time send.

    The lock and the rows' `published_at` live in one transaction that stays open during the send (at most 10 s): the
    one exception to "no session over a network call". If that transaction is lost after sending, rows are sent again
    with the same event ids, by which readers recognise repeats; for compacted topics the order of one key is kept,
    because rows are always sent in the order of their ids. After a failure the account of the row is skipped for some
    seconds, so that it does not hold up the others. A row that Kafka refuses each time for its own sake is parked, and
    its account goes on.

    `booted_at` is when the machine started, where Kafka keeps one copy of each record: what was published in the
    minutes before may have gone with the power, and is sent again, before anything newer.
    """

    def __init__(
        self,
        database: Database,
        send: Send,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        booted_at: datetime | None = None,
    ) -> None:
        self._database = database
        self._send = send
        self._booted_at = booted_at
        self._waiting = TurnsPutOff(monotonic)
        self._wake = asyncio.Event()
        self.began = asyncio.Event()
        """Set once nothing that was published has to be sent again, so that published rows may be deleted."""

    def wake(self) -> None:
        """Start the next round now, since rows were committed."""
        self._wake.set()

    async def run(self) -> None:
        """Relay until cancelled."""
        await patiently("outbox-relay", self.send_again, LONGEST_PAUSE_SECONDS)
        self.began.set()
        while True:
            if await patiently("outbox-relay", self.relay_once, LONGEST_PAUSE_SECONDS) < BATCH:
                await self._sleep()

    async def _sleep(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    async def send_again(self) -> int:
        """Let what a power cut may have taken from Kafka be published anew; returns how many rows. Raises
        `Unavailable`."""
        if self._booted_at is None:
            return 0
        async with self._database.write() as tx:
            rows = await tx.execute(_SEND_AGAIN, booted_at=self._booted_at, unwritten=UNWRITTEN)
        if rows:
            log.warning("outbox_sent_again", service=self._database.schema, rows=rows)
        return rows

    async def relay_once(self) -> int:
        """Publish up to one batch; returns how many rows are settled, published or parked. Raises `Unavailable`."""
        async with self._database.write() as tx:
            locked = await tx.scalar(
                "select pg_try_advisory_xact_lock(:space, hashtext(current_schema()))", space=_RELAY_LOCK
            )
            if not locked:
                return 0
            rows = await tx.all(_PENDING, batch=BATCH, **self._waiting.left_out())
            if not rows:
                return 0
            outcome = self._judged(rows, await self._sent(rows))
            await tx.execute(
                "update outbox set published_at = clock_timestamp() where id = any(cast(:ids as bigint[]))",
                ids=outcome.sent,
            )
            if outcome.unpublishable:
                await tx.execute(_PARK, ids=outcome.unpublishable)
        self._report(outcome)
        if outcome.failure is not None and not outcome.settled:
            raise outcome.failure
        return outcome.settled

    async def _sent(self, rows: Sequence[RowMapping]) -> list[Exception | None]:
        """The result of each row; a row of which no record can be made fails alone."""
        results: list[Exception | None] = [None] * len(rows)
        records: dict[int, Record] = {}
        for index, row in enumerate(rows):
            try:
                records[index] = record_of(row)
            except Exception as error:  # a malformed row fails alone
                results[index] = error
        if records:
            answers = await self._send(list(records.values()))
            for index, answer in zip(records, answers, strict=True):
                results[index] = answer
        return results

    def _judged(self, rows: Sequence[RowMapping], results: Sequence[Exception | None]) -> Outcome:
        """Divide the rows into sent, parked and waiting ones. After the first failure of an account its later rows wait
        too, which keeps their order."""
        outcome = Outcome()
        blocked: set[str | int] = set()
        for row, error in zip(rows, results, strict=True):
            turn = turn_of(row)
            if error is None:
                if turn not in blocked:
                    outcome.published(row)
                    self._waiting.over(turn)
            elif turn not in blocked:
                blocked.add(turn)
                if self._waiting.refused_for_good(turn, row["id"], error):
                    outcome.unpublishable.append(row["id"])
                    self._waiting.over(turn)
                elif outcome.failure is None:
                    outcome.failure = RecordRefused()
                    if isinstance(error, Unavailable):
                        outcome.failure = error
                log.warning("outbox_row_waits", topic=row["topic"], error=type(error).__name__)
        return outcome

    def _report(self, outcome: Outcome) -> None:
        """Count the rows of a committed outcome."""
        for topic, count in outcome.topics.items():
            outbox_published_total.labels(topic).inc(count)
        if outcome.unpublishable:
            dlq_records_total.labels(UNPUBLISHABLE).inc(len(outcome.unpublishable))
            log.error("outbox_rows_parked", service=self._database.schema, rows=len(outcome.unpublishable))

    async def observe(self) -> None:
        """Set the metrics of depth and age."""
        async with self._database.read() as tx:
            row = await tx.one(
                "select count(*) as depth, coalesce(extract(epoch from now() - min(created_at)), 0) as age"
                " from outbox where published_at is null"
            )
        if row is not None:
            outbox_depth_records.set(row["depth"])
            outbox_age_seconds.set(float(row["age"]))
