"""Records set aside: a handler failed on them; stored beside the state, and tried again by the consumer that read
them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.db.cursors import Place
from shared.db.parked import RawRecord, bytes_or_none, publish_dead
from shared.db.transaction import ReadTx, WriteTx
from shared.kafka.headers import unpack

HANDLER_ERROR = "handler_error"
"""Reason of a record whose handler raised an unforeseen error."""
UNDECODABLE = "undecodable"
"""Reason of a record on which our decoder raised an unforeseen error."""
KILLED = "killed_the_process"
"""Reason of a record on which processes died."""
WAITS = (5.0, 15.0, 40.0)
"""Seconds before each retry of a record; after the last it is given up until an operator or a new release has it tried
again."""
MUST_APPLY_WAIT = 300.0
"""Seconds between retries of a record that is never given up."""
MOST_RECORDS = 100_000
MOST_BYTES = 1_000_000_000
_IN_PLACES = "(topic, partition) in (select * from unnest(cast(:topics as text[]), cast(:partitions as int[])))"


@dataclass(frozen=True, slots=True)
class SetAsideRecord:
    """A record that is tried again: the id of its row, the record, how often it was tried and whether it may be given
    up."""

    id: UUID
    reason: str
    raw: RawRecord
    tries: int
    must_apply: str | None


async def due(tx: ReadTx, places: Sequence[Place], limit: int) -> Sequence[tuple[UUID, Place, bool]]:
    """Records of these partitions that are due for a retry, in offset order, and whether processes died on them. Topics
    without prefix."""
    rows = await tx.all(
        "select id, topic, partition, reason from parked where state = 'retrying' and next_try_at <= now()"
        f" and {_IN_PLACES} order by record_offset limit :limit",
        limit=limit,
        **_places(places),
    )
    return [(row["id"], (row["topic"], row["partition"]), row["reason"] == KILLED) for row in rows]


async def put_off(tx: WriteTx, record_id: UUID) -> None:
    """Postpone a record on which processes died, before it is tried: should it end this process too, the next one does
    not meet it at once, and after three tries not at all unless it must be applied."""
    await tx.execute(
        "update parked set tries = tries + 1, next_try_at = now() + interval '1 hour',"
        " state = case when tries >= 2 and must_apply is null then 'dead' else state end where id = :id",
        id=record_id,
    )


async def take(tx: WriteTx, record_id: UUID, prefix: str) -> SetAsideRecord | None:
    """Lock a record until the transaction ends; None when it was dropped or settled meanwhile."""
    row = await tx.one(
        "select id, reason, topic, partition, record_offset, record_key, value, headers, account_id, tries, must_apply"
        " from parked where id = :id for update",
        id=record_id,
    )
    if row is None:
        return None
    raw = RawRecord(
        prefix + row["topic"],
        row["partition"],
        row["record_offset"],
        bytes_or_none(row["record_key"]),
        bytes_or_none(row["value"]),
        unpack(bytes(row["headers"])),
        row["account_id"],
    )
    return SetAsideRecord(row["id"], row["reason"], raw, row["tries"], row["must_apply"])


async def remove(tx: WriteTx, waiting: SetAsideRecord) -> None:
    """Delete the row of a record that this transaction handles again."""
    await tx.execute("delete from parked where id = :id", id=waiting.id)


async def failed_again(tx: WriteTx, waiting: SetAsideRecord, traceback: str, prefix: str, service: str) -> None:
    """Schedule the next retry, or give the record up and publish it as a dead letter; an event that must be applied is
    never given up."""
    tries = waiting.tries + 1
    given_up = tries >= len(WAITS) and waiting.must_apply is None
    state = "retrying"
    if given_up:
        state = "dead"
    wait = MUST_APPLY_WAIT
    if tries < len(WAITS):
        wait = WAITS[tries]
    await tx.execute(
        "update parked set tries = :tries, traceback = :traceback, state = :state,"
        " next_try_at = case when :given_up then null else now() + make_interval(secs => :wait) end where id = :id",
        id=waiting.id,
        tries=tries,
        traceback=traceback,
        state=state,
        given_up=given_up,
        wait=wait,
    )
    if given_up:
        await publish_dead(tx, prefix, waiting.raw, waiting.reason, service)


async def renew(tx: WriteTx, places: Sequence[Place], version: str) -> int:
    """Have records on which another version failed tried once more; returns how many. Topics without prefix."""
    return await tx.execute(
        "update parked set state = 'retrying', tries = 0, next_try_at = now(), version = :version"
        f" where reason = any(:reasons) and version <> :version and {_IN_PLACES}",
        reasons=[HANDLER_ERROR, UNDECODABLE, KILLED],
        version=version,
        **_places(places),
    )


async def recent(tx: ReadTx, version: str) -> int:
    """How many records this version set aside in the last ten minutes and has not applied since."""
    return int(
        await tx.scalar(
            "select count(*) from parked where reason = :reason and version = :version"
            " and parked_at > now() - interval '10 minutes'",
            reason=HANDLER_ERROR,
            version=version,
        )
    )


async def full(tx: ReadTx) -> bool:
    """Whether as many records are set aside as are allowed."""
    row = await tx.one(
        "select count(*) as records, coalesce(sum(octet_length(value)), 0) as bytes from parked where reason = :reason",
        reason=HANDLER_ERROR,
    )
    return row is not None and (row["records"] >= MOST_RECORDS or row["bytes"] >= MOST_BYTES)


async def counts(tx: ReadTx) -> Mapping[tuple[str, str], int]:
    """How many dead letters there are by (state, reason)."""
    rows = await tx.all(
        "select state, reason, count(*) as n from parked where kind = 'dead_letter' group by state, reason"
    )
    return {(row["state"], row["reason"]): row["n"] for row in rows}


async def must_apply(tx: ReadTx) -> Mapping[str, int]:
    """How many records that are never given up wait for a retry, by event."""
    rows = await tx.all(
        "select must_apply as event, count(*) as n from parked where must_apply is not null group by must_apply"
    )
    return {row["event"]: row["n"] for row in rows}


async def must_apply_at(tx: ReadTx, account_id: str) -> bool:
    """Whether an erasure, a withdrawal or an objection of an account waits for a retry."""
    return bool(
        await tx.scalar(
            "select exists (select from parked where must_apply is not null"
            " and (account_id = :account_id or account_id is null))",
            account_id=account_id,
        )
    )


def _places(places: Sequence[Place]) -> dict[str, list[str] | list[int]]:
    return {"topics": [topic for topic, _ in places], "partitions": [partition for _, partition in places]}
