"""Dead letters and conflicts: parked with their reason and original bytes, shown, and published for other tools."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from shared.db.erasures import Forgotten, Journal, forget_outbox, forget_parked, person_in
from shared.db.transaction import WriteTx
from shared.errors import Halt
from shared.events.envelope import Headers
from shared.events.responses import StakeholderErased
from shared.ids import derived_uuid
from shared.topics import DEAD_LETTERS
from shared.verdicts import Outcome, Verdict

LIMIT_WINDOW = "10 minutes"
_RECENT = "select count(*) from parked where kind = 'dead_letter' and parked_at > now() - interval '10 minutes'"
_PARK = (
    "insert into parked (id, kind, reason, detail, topic, partition, record_offset, record_key, headers, value,"
    " account_id) values (:id, :kind, :reason, :detail, :topic, :partition, :record_offset, :record_key,"
    " cast(:headers as jsonb), :value, :account_id) on conflict do nothing"
)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as the broker gave it, with what little is known about it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    account_id: str | None


async def overtaken(tx: WriteTx, journal: Journal, records: Mapping[int, RawRecord]) -> list[int]:
    """The numbers of those records that speak of an erased person and were recorded until then."""
    people = {number: person for number, raw in records.items() if (person := person_in(raw.value))}
    gone = await journal.overtaken(tx, list(people.values()))
    return [number for number, dropped in zip(people, gone, strict=True) if dropped]


async def forget_kept(tx: WriteTx, event: StakeholderErased) -> None:
    """Erase a person from what plumbing itself keeps: parked records, and those in the outbox."""
    person = Forgotten(event.account_id, event.stakeholder_id, event.erased_at)
    await forget_parked(tx, person)
    await forget_outbox(tx, person)


async def park(
    tx: WriteTx, prefix: str, records: Sequence[tuple[RawRecord, Verdict]], *, service: str, limit: int
) -> None:
    """Park conflicts and dead letters in the batch's transaction; dead letters leave through the outbox too.

    `limit`: most dead letters in ten minutes, 0 for no limit. Raises `Halt` past it, so that a bad deploy stops
    instead of draining the topic.
    """
    if not records:
        return
    for raw, verdict in records:
        await _park_one(tx, prefix, raw, verdict, service)
    if limit:
        recent = await tx.scalar(_RECENT)
        if recent > limit:
            raise Halt(
                "dead_letter_limit",
                f"more than {limit} dead letters in {LIMIT_WINDOW}: see `tellback dlq list`, then raise"
                " TELLBACK_DEAD_LETTER_LIMIT or set it to 0",
            )


async def _park_one(tx: WriteTx, prefix: str, raw: RawRecord, verdict: Verdict, service: str) -> None:
    dead = verdict.outcome is Outcome.DEAD_LETTERED
    row: dict[str, Any] = {
        "id": derived_uuid("parked", service, raw.topic, str(raw.partition), str(raw.offset), _digest(raw)),
        "kind": "dead_letter" if dead else "conflict",
        "reason": verdict.reason,
        "detail": verdict.detail,
        "topic": raw.topic.removeprefix(prefix),
        "partition": raw.partition,
        "record_offset": raw.offset,
        "record_key": raw.key,
        "headers": json.dumps([[name, value.decode("latin-1")] for name, value in raw.headers]),
        "value": raw.value,
        "account_id": raw.account_id,
    }
    stored = await tx.execute(_PARK, **row)
    if dead and stored:
        origin: Headers = [
            ("tellback_reason", verdict.reason.encode()),
            ("tellback_service", service.encode()),
            ("tellback_topic", row["topic"].encode()),
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


def _digest(raw: RawRecord) -> str:
    return sha256(raw.value or b"").hexdigest()
