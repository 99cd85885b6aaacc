"""Rows of `pending_changes`: amendments and withdrawals that overtook their response, as they were read."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.scorer.store.changes import change_in
from shared.amendments import Change
from shared.db.parked import RawRecord
from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.kafka.headers import pack, unpack
from shared.topics import RESPONSES
from shared.verdicts import Received

INSERT = """
    insert into pending_changes
        (event_id, response_id, recorded_at, partition, record_offset, headers, value, sender)
    select event_id, response_id, recorded_at, partition, record_offset, headers, value, sender
    from unnest(cast(:event_ids as uuid[]), cast(:response_ids as text[]), cast(:recorded_ats as timestamptz[]),
        cast(:partitions as int[]), cast(:offsets as bigint[]), cast(:headers as bytea[]), cast(:values as bytea[]),
        cast(:senders as text[]))
        as r(event_id, response_id, recorded_at, partition, record_offset, headers, value, sender)
    order by event_id on conflict (event_id) do nothing
"""
ARRIVED = """
    with arrived as (
        delete from pending_changes where response_id = any(cast(:ids as text[])) returning *
    )
    select p.event_id, p.response_id, p.partition, p.record_offset, p.headers, p.value, p.recorded_at,
        c.kind, c.account_id, c.stakeholder_id, c.changes, c.survey_type, c.posted, c.rank, c.written_at,
        c.import_id, c.quiet
    from arrived p join response_changes c using (event_id) order by p.event_id
"""


DROP_BEYOND = """
    delete from response_changes where event_id in (
        select event_id from (
            select event_id, row_number() over (partition by sender order by p.recorded_at desc, event_id desc) as place
            from pending_changes p join response_changes c using (event_id) where c.kind = 'amended'
        ) as waiting
        where place > :most limit :at_once
    )
"""


class Arrived(NamedTuple):
    """A change whose response has come, and the record as it was read; None where nobody knows any more."""

    response_id: str
    change: Change
    record: RawRecord | None


async def insert(tx: WriteTx, waiting: Sequence[tuple[str, Change, Received]]) -> None:
    """Note (response_id, change, record) that wait for their response."""
    if waiting:
        await tx.execute(
            INSERT,
            **as_columns(
                {
                    "event_ids": change.event_id,
                    "response_ids": response_id,
                    "recorded_ats": change.recorded_at,
                    "partitions": record.partition,
                    "offsets": record.offset,
                    "headers": pack(record.event.headers()),
                    "values": record.event.value(),
                    "senders": record.event.sender,
                }
                for response_id, change, record in waiting
            ),
        )


async def take_arrived(tx: WriteTx, response_ids: Iterable[str], prefix: str) -> list[Arrived]:
    """Let the changes of these responses, which are there, wait no more; returns them."""
    arrived = []
    for row in await tx.all(ARRIVED, ids=list(response_ids)):
        record = None
        if row["value"] is not None:
            record = RawRecord(
                prefix + RESPONSES.name,
                row["partition"],
                row["record_offset"],
                row["account_id"].encode(),
                bytes(row["value"]),
                unpack(bytes(row["headers"])),
                row["account_id"],
            )
        arrived.append(Arrived(row["response_id"], change_in(row), record))
    return arrived


async def forget(tx: WriteTx, event_ids: Sequence[UUID]) -> None:
    """Delete changes that can count nowhere."""
    if event_ids:
        await tx.execute("delete from response_changes where event_id = any(cast(:ids as uuid[]))", ids=list(event_ids))


async def overdue(tx: ReadTx, limit: int, passed_over: Sequence[str] = ()) -> Sequence[str]:
    """Responses, but for some, that are there although changes of theirs still wait: the two came through different
    partitions at the same moment, and neither transaction saw the other."""
    return await tx.column(
        "select distinct p.response_id from pending_changes p join responses r using (response_id)"
        " where p.response_id <> all(cast(:passed_over as text[])) limit :limit",
        limit=limit,
        passed_over=list(passed_over),
    )


async def drop_amendments(tx: WriteTx, recorded_before: datetime) -> int:
    """Delete amendments that have waited since then; returns how many. A withdrawal waits for ever: it holds nothing
    that anybody wrote, and its response must never count."""
    return await tx.execute(
        "delete from response_changes c using pending_changes p"
        " where p.event_id = c.event_id and p.recorded_at < :before and c.kind = 'amended'",
        before=recorded_before,
    )


async def drop_beyond(tx: WriteTx, most: int, at_once: int) -> int:
    """Delete amendments that wait, of each sender all but the newest `most`, so many at once; returns how many."""
    return await tx.execute(DROP_BEYOND, most=most, at_once=at_once)


async def count(tx: ReadTx) -> dict[str, int]:
    """How many wait, by kind."""
    rows = await tx.all(
        "select kind, count(*) as waiting from pending_changes join response_changes using (event_id) group by kind"
    )
    return {"amended": 0, "withdrawn": 0} | {row["kind"]: row["waiting"] for row in rows}
