"""Rows of `pending_changes`: amendments and withdrawals that overtook their response, as they were read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.scorer.domain.history import Change, Subject
from shared.db.parked import RawRecord
from shared.db.transaction import ReadTx, WriteTx
from shared.topics import RESPONSES
from shared.verdicts import Received

INSERT = """
    insert into pending_changes (event_id, response_id, recorded_at, partition, record_offset, headers, value)
    select event_id, response_id, recorded_at, partition, record_offset, headers::jsonb, value
    from unnest(cast(:event_ids as uuid[]), cast(:response_ids as text[]), cast(:recorded_ats as timestamptz[]),
        cast(:partitions as int[]), cast(:offsets as bigint[]), cast(:headers as text[]), cast(:values as bytea[]))
        as r(event_id, response_id, recorded_at, partition, record_offset, headers, value)
    order by event_id on conflict (event_id) do nothing
"""
ARRIVED = """
    with arrived as (
        delete from pending_changes where response_id = any(cast(:ids as text[])) returning *
    )
    select p.event_id, p.partition, p.record_offset, p.headers, p.value, p.recorded_at, c.kind, c.changes,
        c.account_id as said_account, c.stakeholder_id as said_stakeholder,
        r.account_id, r.stakeholder_id, r.survey_type
    from arrived p join response_changes c using (event_id) join responses r on r.response_id = p.response_id
    order by p.event_id
"""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A change whose response has come, whose that is, and the record as it was read; None where nobody knows any
    more."""

    change: Change
    subject: Subject
    record: RawRecord | None


async def insert(tx: WriteTx, waiting: Sequence[tuple[str, Change, Received]]) -> None:
    """Note (response_id, change, record) that wait for their response."""
    if waiting:
        await tx.execute(
            INSERT,
            event_ids=[change.event_id for _, change, _ in waiting],
            response_ids=[response_id for response_id, _, _ in waiting],
            recorded_ats=[change.recorded_at for _, change, _ in waiting],
            partitions=[record.partition for _, _, record in waiting],
            offsets=[record.offset for _, _, record in waiting],
            headers=[
                json.dumps([[name, raw.decode("latin-1")] for name, raw in record.event.headers()])
                for _, _, record in waiting
            ],
            values=[record.event.value() for _, _, record in waiting],
        )


async def take_arrived(tx: WriteTx, response_ids: Iterable[str], prefix: str) -> list[Arrived]:
    """Let the changes of these responses, which are there, wait no more; returns them."""
    rows = await tx.all(ARRIVED, ids=list(response_ids))
    return [
        Arrived(
            Change(
                row["event_id"],
                row["kind"],
                row["said_account"],
                row["said_stakeholder"],
                row["recorded_at"],
                row["changes"],
            ),
            Subject(row["account_id"], row["stakeholder_id"], row["survey_type"]),
            None
            if row["value"] is None
            else RawRecord(
                prefix + RESPONSES.name,
                row["partition"],
                row["record_offset"],
                row["said_account"].encode(),
                bytes(row["value"]),
                [(name, text.encode("latin-1")) for name, text in row["headers"]],
                row["said_account"],
            ),
        )
        for row in rows
    ]


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


async def count(tx: ReadTx) -> dict[str, int]:
    """How many wait, by kind."""
    rows = await tx.all(
        "select kind, count(*) as waiting from pending_changes join response_changes using (event_id) group by kind"
    )
    return {"amended": 0, "withdrawn": 0} | {row["kind"]: row["waiting"] for row in rows}
