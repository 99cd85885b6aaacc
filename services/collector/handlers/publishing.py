"""The way out for facts: Kafka first, the outbox in PostgreSQL while Kafka is away. Accepted means: it is in one of
them.

The two ways may overtake each other; nothing depends on the order of arrival.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.collector.handlers.ownership import own_only, require_own
from shared.access.caller import Caller
from shared.db.engine import Database
from shared.db.outbox import Relay
from shared.errors import TellbackError, TooLarge, Unavailable
from shared.events.envelope import Event
from shared.kafka.partition_batcher import Run
from shared.kafka.producer import Publisher
from shared.kafka.receipts import Sending
from shared.kafka.record_batch import Raw, unpacked
from shared.records import OutRecord
from shared.topics import RESPONSES, Topic

Via = Literal["kafka", "outbox"]
MAX_EVENT_BYTES = 65_536
OUTBOX_SECONDS = 3.0
"""Connection, lock and commit together; with Kafka's 4 s a refusal comes within 10 s."""
RETRY_AFTER_SECONDS = 5


def check_size(event: Event) -> None:
    """Raises `TooLarge` for an event whose value is over 64 kB."""
    if len(event.value()) > MAX_EVENT_BYTES:
        raise _too_large()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is needed to get facts out."""

    publisher: Publisher
    database: Database
    relay: Relay

    async def publish(self, topic: Topic, event: Event, caller: Caller) -> Via:
        """Publish one event of a key durably; the key may be limited to the accounts of one owner.

        Raises `TooLarge`; `NotFound` for an account that the key does not know; `Unavailable` when both ways are
        closed.
        """
        await require_own(self.database, caller.owner_email, event)
        return await self.send(OutRecord.of(topic, event.by(caller.key_id)))

    async def send(self, record: OutRecord) -> Via:
        """Publish the record of an event durably. Raises `TooLarge`, and `Unavailable` when both ways are closed."""
        if len(record.value or b"") > MAX_EVENT_BYTES:
            raise _too_large()
        try:
            await self.publisher.send(record)
        except Unavailable:
            return await self._divert(record)
        return "kafka"

    def put(self, record: Raw) -> Run | None:
        """`Publisher.put` for the record of a response."""
        return self.publisher.put(RESPONSES, record)

    async def divert(self, record: Raw) -> Via:
        """Store the record of a response that Kafka did not take in the outbox. Raises `Unavailable`."""
        return await self._divert(_response(record))

    async def put_many(self, records: Sequence[Raw]) -> Sending:
        """`Publisher.put_many` for the records of responses; `settled` says what becomes of them."""
        await self.publisher.know(RESPONSES.name)
        return self.publisher.put_many(RESPONSES, records)

    def put_at_once(self, records: Sequence[Raw]) -> Sending | None:
        """The same without waiting; None while Kafka is away or not known yet, and nothing has happened then."""
        return self.publisher.put_many(RESPONSES, records) if self.publisher.knows(RESPONSES.name) else None

    async def settled(self, sending: Sending) -> Mapping[int, Via | TellbackError]:
        """What became of those records of responses that Kafka did not take, by position."""
        failures = await sending.failures()
        left = sorted(index for index, error in failures.items() if isinstance(error, Unavailable))
        if not left:
            return failures
        result = await self._to_outbox([_response(record) for record in sending.records(left)])
        return {**failures, **dict.fromkeys(left, result)}

    async def send_many(self, records: Sequence[OutRecord]) -> list[Via | TellbackError]:
        """Publish records durably; one answer each: the way it took, or why it was not taken."""
        large = [index for index, record in enumerate(records) if len(record.value or b"") > MAX_EVENT_BYTES]
        if large:
            return await self._send_fitting(records, large)
        answers: list[Via | TellbackError] = ["kafka"] * len(records)
        errors = await self.publisher.send_many(records)
        if not any(errors):
            return answers
        left = []
        for index, error in enumerate(errors):
            if isinstance(error, Unavailable):
                left.append(index)
            elif error is not None:
                answers[index] = error
        if left:
            result = await self._to_outbox([records[index] for index in left])
            for index in left:
                answers[index] = result
        return answers

    async def _send_fitting(self, records: Sequence[OutRecord], large: Sequence[int]) -> list[Via | TellbackError]:
        """The same when some records are too large."""
        refused = set(large)
        fitting = [record for index, record in enumerate(records) if index not in refused]
        answers = iter(await self.send_many(fitting) if fitting else [])
        return [_too_large() if index in refused else next(answers) for index in range(len(records))]

    async def publish_each(
        self, topic: Topic, events: Sequence[Event | TellbackError], caller: Caller
    ) -> list[Via | TellbackError]:
        """Publish what is an event; what was refused before keeps its error. As in `publish` for a limited key."""
        events = await own_only(self.database, caller.owner_email, events)
        good = [event.by(caller.key_id) for event in events if isinstance(event, Event)]
        published = iter(await self.send_many([OutRecord.of(topic, event) for event in good]))
        return [next(published) if isinstance(event, Event) else event for event in events]

    async def _divert(self, record: OutRecord) -> Via:
        result = await self._to_outbox([record])
        if isinstance(result, TellbackError):
            raise result from None
        return result

    async def _to_outbox(self, records: Sequence[OutRecord]) -> Via | TellbackError:
        try:
            async with asyncio.timeout(OUTBOX_SECONDS), self.database.write() as tx:
                await tx.emit_records(records)
        except (TimeoutError, Unavailable):
            # The rows may be committed all the same: they carry the ids that a repetition will carry.
            return Unavailable(
                "unavailable", "neither Kafka nor PostgreSQL took it; send it again", retry_after=RETRY_AFTER_SECONDS
            )
        self.relay.wake()
        return "outbox"


def _too_large() -> TooLarge:
    return TooLarge("event_too_large", "one event takes at most 64 kB")


def _response(record: Raw) -> OutRecord:
    key, value, headers = record
    return OutRecord(RESPONSES, key.decode(), key, value, unpacked(headers))
