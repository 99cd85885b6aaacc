"""Rows of the outbox as a transaction writes them; `outbox` is the relay that publishes them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kafka.headers import unpack
from shared.records import Record, headers_to_json

_INSERT = text(
    "insert into outbox (event_id, topic, account_id, record_key, value, headers, partition)"
    " select * from unnest(cast(:event_ids as uuid[]), cast(:topics as text[]), cast(:accounts as text[]),"
    " cast(:keys as bytea[]), cast(:values as bytea[]), cast(:headers as jsonb[]), cast(:partitions as int[]))"
)


async def insert_outbox(connection: AsyncConnection, records: Sequence[tuple[UUID | None, Record]]) -> None:
    """Insert records with the ids of their events in one statement, keeping their order."""
    await connection.execute(
        _INSERT,
        {
            "event_ids": [event_id for event_id, _ in records],
            "topics": [record.topic.name for _, record in records],
            "accounts": [record.account_id for _, record in records],
            "keys": [record.key for _, record in records],
            "values": [record.value for _, record in records],
            "headers": [headers_to_json(unpack(record.headers)) for _, record in records],
            "partitions": [record.partition for _, record in records],
        },
    )
