"""Parked records: dead letters and conflicts, how they are stored, found, retried and dropped."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import RowMapping

from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict
from shared.events.envelope import FILE, Headers, sender_in
from shared.events.files import Origin, origin_in
from shared.ids import derived_uuid
from shared.kafka.headers import pack, unpack
from shared.topics import BY_NAME, DEAD_LETTERS, RESPONSES
from shared.verdicts import Outcome, Verdict

Kind = Literal["dead_letter", "conflict"]
_PARK = (
    "insert into parked (id, kind, reason, detail, topic, partition, record_offset, record_key, headers, value,"
    " account_id, sender, state, next_try_at, version, traceback, must_apply) values (:id, :kind, :reason, :detail,"
    " :topic, :partition, :record_offset, :record_key, :headers, :value, :account_id, :sender, :state,"
    " now() + make_interval(secs => cast(:wait as double precision)), :version, :traceback, :must_apply)"
    " on conflict do nothing"
)
_TRAVELS = ("unpublishable", "wrong_partition")
"""Reasons of records that are not where they belong (never published, or in another partition): a replay publishes them
there."""
KEPT_CONFLICTS, KEPT_CONFLICT_BYTES = 1_000, 64 * 1024 * 1024
"""The newest conflicts of each sender are kept; records without a known sender count as those of one."""
KEPT_CONFLICT_DAYS = 30
DROPPED_AT_ONCE = 10_000
_DROP_OLD = """
    delete from parked where id in (
        select id from (
            select id, parked_at, row_number() over newest as place, sum(octet_length(value)) over newest as bytes
            from parked where kind = 'conflict' window newest as (partition by sender order by parked_at desc, id desc)
        ) as conflicts
        where place > :most or bytes > :most_bytes or parked_at < now() - make_interval(days => :days) limit :at_once
    )
"""
_RETURNING_DROPPED = (
    "returning reason, topic, partition, headers,"
    " version is not null or reason = any(cast(:travels as text[])) and replayed_at is null as unhandled"
)
_FACTS = (
    "id, reason, detail, topic, partition, record_offset, account_id, sender, parked_at, replayed_at,"
    " coalesce(octet_length(value), 0) as size, state, tries, next_try_at"
)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as the broker returned it, with what is known about it. `topic` is the full name."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    account_id: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Why, when and from where a record was parked. `topic` has no prefix, `sender` is the id of an API key, `size` is
    that of the value in bytes. `state` is `retrying` while the record is tried again, at `next_try_at`, after `tries`
    failures; `dead` when it is not."""

    id: UUID
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    account_id: str | None
    sender: str | None
    parked_at: datetime
    replayed_at: datetime | None
    size: int
    state: str
    tries: int
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """The failure of a handler on a record: a traceback without data, the version that failed, and when the record is
    tried again (seconds from now), None for never. `must_apply` is the name of an event that is never given up."""

    traceback: str | None
    version: str
    wait: float | None
    must_apply: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """A record's content, byte for byte."""

    key: bytes | None
    headers: Headers
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A parked record that is dropped. `unhandled` is one on which no handler comes to a verdict any more: it was set
    aside, or is not where it belongs and was never published there. `topic` has no prefix."""

    reason: str
    topic: str
    partition: int
    headers: Headers
    unhandled: bool

    @property
    def file_row(self) -> Origin | None:
        """The row of a file that is lost with the record, so that nobody counts it any more; None for others."""
        header = dict(self.headers).get(FILE)
        if header is None or not self.unhandled or self.topic != RESPONSES.name:
            return None
        return origin_in(header.decode(errors="replace"))


WhenDropped = Callable[[WriteTx, Dropped, datetime], Awaitable[None]]
"""What a service does about a record that is dropped at a moment, in the same transaction."""


async def put_aside(
    tx: WriteTx, prefix: str, raw: RawRecord, verdict: Verdict, service: str, fault: Fault | None = None
) -> None:
    """Park a record under its verdict; idempotent. A dead letter is published through the outbox too; one that is tried
    again only when it is given up (`publish_dead`)."""
    dead = verdict.outcome is Outcome.DEAD_LETTERED
    kind: Kind = "conflict"
    if dead:
        kind = "dead_letter"
    retrying = fault is not None and fault.wait is not None
    state = "dead"
    if retrying:
        state = "retrying"
    digest = sha256(raw.value or b"").hexdigest()
    row: dict[str, Any] = {
        "id": derived_uuid("parked", service, raw.topic, str(raw.partition), str(raw.offset), digest),
        "kind": kind,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "topic": raw.topic.removeprefix(prefix),
        "partition": raw.partition,
        "record_offset": raw.offset,
        "record_key": raw.key,
        "headers": pack(raw.headers),
        "value": raw.value,
        "account_id": raw.account_id,
        "sender": sender_in(raw.headers),
        "state": state,
        **dict.fromkeys(("traceback", "version", "wait", "must_apply")),
    }
    if fault is not None:
        row |= asdict(fault)
    if await tx.execute(_PARK, **row) and dead and not retrying:
        await publish_dead(tx, prefix, raw, verdict.reason, service)


async def publish_dead(tx: WriteTx, prefix: str, raw: RawRecord, reason: str, service: str) -> None:
    """Publish a copy of a dead letter to the topic of dead letters, through the outbox, for other tools."""
    origin: Headers = [
        ("tellback_reason", reason.encode()),
        ("tellback_service", service.encode()),
        ("tellback_topic", raw.topic.removeprefix(prefix).encode()),
        ("tellback_partition", str(raw.partition).encode()),
        ("tellback_offset", str(raw.offset).encode()),
    ]
    await tx.emit_raw(
        DEAD_LETTERS,
        raw.account_id or "",
        raw.key or b"",
        raw.value,
        raw.headers + origin,
        partition=raw.partition,
    )


async def list_parked(
    tx: ReadTx,
    kind: Kind,
    *,
    reason: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[Facts]:
    """Parked records of a kind, the newest first. `after` is (parked_at, id)."""
    at, parked_id = after or (None, None)
    rows = await tx.all(
        f"select {_FACTS} from parked where kind = :kind"
        " and (cast(:reason as text) is null or reason = :reason)"
        " and (cast(:at as timestamptz) is null or (parked_at, id) < (:at, cast(:id as uuid)))"
        " order by parked_at desc, id desc limit :limit",
        kind=kind,
        reason=reason,
        at=at,
        id=parked_id,
        limit=limit,
    )
    return [_facts(row) for row in rows]


async def list_conflicts_of(
    tx: ReadTx, sender: str, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> Sequence[tuple[Facts, Content]]:
    """The conflicts that an API key has sent, the newest first, with their content. `after` is (parked_at, id)."""
    at, parked_id = after or (None, None)
    rows = await tx.all(
        f"select {_FACTS}, record_key, headers, value from parked where kind = 'conflict' and sender = :sender"
        " and (cast(:at as timestamptz) is null or (parked_at, id) < (:at, cast(:id as uuid)))"
        " order by parked_at desc, id desc limit :limit",
        sender=sender,
        at=at,
        id=parked_id,
        limit=limit,
    )
    return [(_facts(row), _content(row)) for row in rows]


async def find_parked(tx: ReadTx, kind: Kind, parked_id: UUID) -> tuple[Facts, Content] | None:
    """One parked record with its content."""
    row = await tx.one(
        f"select {_FACTS}, record_key, headers, value from parked where kind = :kind and id = :id",
        kind=kind,
        id=parked_id,
    )
    if row is None:
        return None
    return _facts(row), _content(row)


async def lock_parked(tx: WriteTx, kind: Kind, parked_id: UUID) -> tuple[Facts, Content] | None:
    """One parked record with its content, locked until the transaction ends, so that a replay and a drop exclude each
    other."""
    row = await tx.one(
        f"select {_FACTS}, record_key, headers, value from parked where kind = :kind and id = :id for update",
        kind=kind,
        id=parked_id,
    )
    if row is None:
        return None
    return _facts(row), _content(row)


async def put_back(tx: WriteTx, parked_id: UUID, now: datetime) -> Facts | None:
    """Have a dead letter tried again: by the consumer that read it, or, if it is not where it belongs, by publishing
    the original bytes through the outbox. None when there is no such dead letter. Raises `Conflict` when its topic is
    not one of ours."""
    dead_letter = await lock_parked(tx, "dead_letter", parked_id)
    if dead_letter is None:
        return None
    facts, content = dead_letter
    topic = BY_NAME.get(facts.topic)
    if topic is None:
        raise Conflict("unknown_topic", "the topic it came from is not one of ours")
    if facts.reason in _TRAVELS:
        # A record without a known account goes back to its own partition.
        partition = None
        if not facts.account_id:
            partition = facts.partition
        await tx.emit_raw(
            topic, facts.account_id or "", content.key or b"", content.value, content.headers, partition=partition
        )
        await tx.execute("update parked set replayed_at = :now where id = :id", id=parked_id, now=now)
    else:
        await tx.execute(
            "update parked set state = 'retrying', tries = 0, next_try_at = now(), replayed_at = :now where id = :id",
            id=parked_id,
            now=now,
        )
    return facts


async def drop_parked(tx: WriteTx, kind: Kind, parked_id: UUID) -> Dropped | None:
    """Delete a parked record for good; None when there is none. Raises `Conflict` for an event that is never given
    up."""
    row = await tx.one(
        f"delete from parked where kind = :kind and id = :id and must_apply is null {_RETURNING_DROPPED}",
        kind=kind,
        id=parked_id,
        travels=list(_TRAVELS),
    )
    if row is not None:
        return _dropped(row)
    if await find_parked(tx, kind, parked_id) is not None:
        raise Conflict("must_apply", "an erasure, a withdrawal or an objection is tried until it works, never dropped")
    return None


async def drop_old_conflicts(tx: WriteTx) -> int:
    """Delete conflicts past their age, and of each sender those beyond the newest `KEPT_CONFLICTS`, so that no sender
    fills the disk; returns how many, `DROPPED_AT_ONCE` where there may be more. Counts are not changed."""
    return await tx.execute(
        _DROP_OLD, most=KEPT_CONFLICTS, most_bytes=KEPT_CONFLICT_BYTES, days=KEPT_CONFLICT_DAYS, at_once=DROPPED_AT_ONCE
    )


async def drop_old_letters(tx: WriteTx, kept: timedelta, at_once: int) -> Sequence[Dropped]:
    """Delete dead letters that were parked longer ago than `kept`, the oldest first, `at_once` at most. Those that are
    still tried, and events that are never given up, stay. Counts are not changed."""
    rows = await tx.all(
        "delete from parked where id = any(array(select id from parked where kind = 'dead_letter' and state = 'dead'"
        " and must_apply is null and parked_at < now() - cast(:kept as interval) order by parked_at"
        f" limit :at_once for update skip locked)) {_RETURNING_DROPPED}",
        kept=kept,
        at_once=at_once,
        travels=list(_TRAVELS),
    )
    return [_dropped(row) for row in rows]


def _dropped(row: RowMapping) -> Dropped:
    headers = unpack(bytes(row["headers"]))
    return Dropped(row["reason"], row["topic"], row["partition"], headers, row["unhandled"])


def _facts(row: RowMapping) -> Facts:
    return Facts(
        id=row["id"],
        reason=row["reason"],
        detail=row["detail"],
        topic=row["topic"],
        partition=row["partition"],
        offset=row["record_offset"],
        account_id=row["account_id"],
        sender=row["sender"],
        parked_at=row["parked_at"],
        replayed_at=row["replayed_at"],
        size=row["size"],
        state=row["state"],
        tries=row["tries"],
        next_try_at=row["next_try_at"],
    )


def _content(row: RowMapping) -> Content:
    return Content(
        key=bytes_or_none(row["record_key"]),
        headers=unpack(bytes(row["headers"])),
        value=bytes_or_none(row["value"]),
    )


def bytes_or_none(column: Any) -> bytes | None:
    """The value of a bytea column."""
    if column is None:
        return None
    return bytes(column)
