"""Rows of the outbox as a transaction writes them; `outbox` is the relay that publishes them."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.records import Record

_INSERT = text(
    "insert into outbox (topic, account_id, record_key, value, headers, partition)"
    " select * from unnest(cast(:topics as text[]), cast(:accounts as text[]),"
    " cast(:keys as bytea[]), cast(:values as bytea[]), cast(:headers as bytea[]), cast(:partitions as int[]))"
)


async def insert_outbox(connection: AsyncConnection, records: Sequence[Record]) -> None:
    """Insert records in one statement, keeping their order."""
    await connection.execute(
        _INSERT,
        {
            "topics": [record.topic.name for record in records],
            "accounts": [record.account_id for record in records],
            "keys": [record.key for record in records],
            "values": [record.value for record in records],
            "headers": [record.headers for record in records],
            "partitions": [record.partition for record in records],
        },
    )
