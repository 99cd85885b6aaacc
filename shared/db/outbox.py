"""The outbox: events leave by a row written in the transaction that caused them; one relay a schema publishes them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import Unavailable
from shared.records import OutRecord, headers_from_json, headers_to_json
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import outbox_age_seconds, outbox_depth_records, outbox_published_total
from shared.topics import BY_NAME

if TYPE_CHECKING:
    from shared.db.engine import Database

log = get_logger(__name__)
BATCH = 1_000
POLL_SECONDS = 0.25
KEEP_PUBLISHED = "1 hour"
_RELAY_LOCK = 0x7E12


Send = Callable[[Sequence[OutRecord]], Awaitable[Sequence[Exception | None]]]
"""Publishes records in order, within a deadline below 10 s; answers one error or None a record."""

_INSERT = text(
    "insert into outbox (event_id, topic, account_id, record_key, value, headers, partition)"
    " select * from unnest(cast(:event_ids as uuid[]), cast(:topics as text[]), cast(:accounts as text[]),"
    " cast(:keys as bytea[]), cast(:values as bytea[]), cast(:headers as jsonb[]), cast(:partitions as int[]))"
)
_PENDING = text(
    "select id, event_id, topic, account_id, record_key, value, headers, partition from outbox"
    " where published_at is null order by id limit :batch"
)


async def insert_outbox(connection: AsyncConnection, records: Sequence[tuple[UUID | None, OutRecord]]) -> None:
    """Insert records with the ids of their events in one statement, keeping their order."""
    await connection.execute(
        _INSERT,
        {
            "event_ids": [event_id for event_id, _ in records],
            "topics": [record.topic.name for _, record in records],
            "accounts": [record.account_id for _, record in records],
            "keys": [record.key for _, record in records],
            "values": [record.value for _, record in records],
            "headers": [headers_to_json(record.headers) for _, record in records],
            "partitions": [record.partition for _, record in records],
        },
    )


class Relay:
    """Publishes the outbox of one schema. Any replica may run it; an advisory lock lets one at a time send.

    The lock and the rows' marks live in one transaction that stays open over the send (at most 10 s): the one
    exception to "no session over a network call". If that transaction is lost after sending, rows go out again with
    the same event ids, which readers recognise; for compacted topics the order of one key is kept, because rows are
    always sent in the order of their ids.
    """

    def __init__(self, database: "Database", send: Send) -> None:
        self._database = database
        self._send = send
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that rows were committed, so that they leave at once."""
        self._wake.set()

    async def run(self) -> None:
        """Relay until cancelled."""
        while True:
            try:
                sent = await self.relay_once()
            except Unavailable as error:
                log.warning("outbox_relay_waits", code=error.code, service=self._database.schema)
                await asyncio.sleep(1.0)
                continue
            if sent < BATCH:
                await self._sleep()

    async def _sleep(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    async def relay_once(self) -> int:
        """Publish up to one batch; returns how many rows left. Raises `Unavailable`."""
        async with self._database.write() as tx:
            locked = await tx.scalar(
                "select pg_try_advisory_xact_lock(:space, hashtext(current_schema()))", space=_RELAY_LOCK
            )
            if not locked:
                return 0
            rows = (await tx.connection.execute(_PENDING, {"batch": BATCH})).mappings().all()
            if not rows:
                return 0
            records = [
                OutRecord(
                    BY_NAME[row["topic"]],
                    row["account_id"],
                    bytes(row["record_key"]),
                    None if row["value"] is None else bytes(row["value"]),
                    headers_from_json(row["headers"]),
                    row["partition"],
                )
                for row in rows
            ]
            results = await self._send(records)
            sent, failure = self._settled([row["id"] for row in rows], records, results)
            await tx.execute(
                "update outbox set published_at = clock_timestamp() where id = any(cast(:ids as bigint[]))",
                ids=sent,
            )
        if failure is not None and not sent:
            raise failure
        return len(sent)

    @staticmethod
    def _settled(
        ids: Sequence[int], records: Sequence[OutRecord], results: Sequence[Exception | None]
    ) -> tuple[list[int], Unavailable | None]:
        """The rows to mark. After the first failure of an account its later rows wait too, so that order holds."""
        blocked: set[str] = set()
        sent: list[int] = []
        published: Counter[str] = Counter()
        failure: Unavailable | None = None
        for row_id, record, result in zip(ids, records, results, strict=True):
            if result is None and record.account_id not in blocked:
                sent.append(row_id)
                published[record.topic.name] += 1
            elif result is not None:
                blocked.add(record.account_id)
                failure = result if isinstance(result, Unavailable) else Unavailable("publish_failed", retry_after=5)
                log.warning("outbox_row_waits", topic=record.topic.name, error=type(result).__name__)
        for topic, count in published.items():
            outbox_published_total.labels(topic).inc(count)
        return sent, failure

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

    async def clean(self) -> None:
        """Delete rows published long ago and inbox ids older than any event that could still come again."""
        async with self._database.write() as tx:
            await tx.execute(f"delete from outbox where published_at < now() - interval '{KEEP_PUBLISHED}'")
            await tx.execute("delete from inbox where seen_at < now() - interval '45 days'")
