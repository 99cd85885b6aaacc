"""Decode a record of the broker into an event with its handler, or into a dead letter with its reason."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct, structs

from shared.db.parked import RawRecord
from shared.db.set_aside import UNDECODABLE
from shared.errors import Poison, UnknownKind
from shared.events.envelope import Event, PlainReaders, decode
from shared.kafka.partition import partition_of
from shared.telemetry.logging import get_logger
from shared.telemetry.tracebacks import kind_of
from shared.topics import Topic
from shared.verdicts import CHANGE, PASSED_OVER, BatchHandler, Received, Verdict, dead_letter

log = get_logger(__name__)


class PolledRecord(Struct, frozen=True, gc=False):
    """One record as the broker returned it, with its handler, or with a verdict that needs no handler."""

    record: Any
    received: Received | None
    handler: BatchHandler | None
    verdict: Verdict | None

    @property
    def event(self) -> Event | None:
        """The decoded event; None for a record without a handler."""
        if self.received is None:
            return None
        return self.received.event

    @property
    def raw(self) -> RawRecord:
        """The record in the form in which it is parked."""
        record, event = self.record, self.event
        account_id = None
        if event is not None:
            account_id = event.account_id
        headers = [(name, bytes(value or b"")) for name, value in record.headers]
        return RawRecord(record.topic, record.partition, record.offset, record.key, record.value, headers, account_id)

    def late(self) -> "PolledRecord":
        """The record marked as one that was set aside before and is applied late."""
        if self.received is None:
            return self
        return structs.replace(self, received=structs.replace(self.received, late=True))


def decode_record(
    record: Any, topic: Topic, partitions: int, handlers: Mapping[str, BatchHandler], plain: PlainReaders
) -> PolledRecord:
    """Decode one aiokafka record. A record in the wrong topic or partition is poison too: handlers rely on all events
    of an account being in one partition. Failures here depend on the record's bytes alone, so only another version may
    succeed."""
    if record.value is None and topic.compacted:
        return PolledRecord(record, None, None, CHANGE)  # a tombstone: an erasure deleted the key
    try:
        received = _received(record, topic, partitions, plain)
    except UnknownKind:
        return PolledRecord(record, None, None, PASSED_OVER)
    except Poison as error:
        return PolledRecord(record, None, None, dead_letter(error.code, error.detail))
    except MemoryError:
        raise
    except Exception as error:  # a bug of the decoder: the next version tries the record once more
        log.error("record_undecodable", topic=topic.name, offset=record.offset, exc_info=error)
        return PolledRecord(record, None, None, dead_letter(UNDECODABLE, kind_of(error)))
    return PolledRecord(record, received, handlers[received.event.name], None)


def _received(record: Any, topic: Topic, partitions: int, plain: PlainReaders) -> Received:
    if record.value is None:
        raise Poison("null_value", "a record without a value")
    event = decode(record.headers, record.value, plain)
    account_id = event.account_id
    if event.name not in topic.events:
        raise Poison("wrong_topic", "this topic does not carry this type")
    if partition_of(account_id, partitions) != record.partition:
        raise Poison("wrong_partition", "the record is not in its account's partition")
    key, account = record.key or b"", account_id.encode()
    if key != account and not key.startswith(account + b"/"):
        raise Poison("wrong_key", "the record's key does not name the event's account")
    return Received(event, topic.name, record.partition, record.offset)


def fingerprint(record: Any) -> str:
    """What distinguishes a record from another at the same offset: its event id, or a hash of its bytes without one."""
    for name, value in record.headers:
        if name == "ce_id":
            return bytes(value).decode(errors="replace")
    return sha256((record.key or b"") + b"\0" + (record.value or b"")).hexdigest()
