"""Publishing of facts: to Kafka, or to the outbox in PostgreSQL while Kafka is away. A fact is accepted once it is in
one of them. The two paths may overtake each other; nothing depends on the order of arrival."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.collector.handlers.outcomes import in_place
from services.collector.handlers.ownership import own_only, require_own
from shared.access.caller import Caller
from shared.db.engine import Database
from shared.db.outbox import Relay
from shared.errors import TellbackError, TooLarge, Unavailable
from shared.events.envelope import Event
from shared.kafka.producer import Publisher
from shared.kafka.receipts import Receipt
from shared.records import Record
from shared.topics import Topic

Via = Literal["kafka", "outbox"]
MAX_EVENT_BYTES = 65_536
OUTBOX_SECONDS = 3.0
"""Deadline for connection, lock and commit together; with Kafka's 4 s a refusal comes within 10 s."""
RETRY_AFTER_SECONDS = 5


def check_size(record: Record) -> None:
    """Raises `TooLarge` for an event whose value is over 64 kB."""
    if _is_too_large(record):
        raise _too_large()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The resources for publishing facts."""

    publisher: Publisher
    database: Database
    relay: Relay

    async def publish(self, topic: Topic, event: Event, caller: Caller) -> Via:
        """Publish one event of a key durably; the key may be limited to the accounts of one owner. Raises `TooLarge`;
        `NotFound` for an account that the key may not see; `Unavailable` when Kafka and PostgreSQL are away."""
        await require_own(self.database, caller.owner_email, event)
        [outcome] = await self._send([Record.of(topic, event.by(caller.key_id))])
        if isinstance(outcome, TellbackError):
            raise outcome
        return outcome

    async def publish_each(
        self, topic: Topic, events: Sequence[Event | TellbackError], caller: Caller
    ) -> list[Via | TellbackError]:
        """Publish the events among the items; an item that was refused before keeps its error. An event about an
        account that the key may not see becomes `NotFound`. Raises `Unavailable` for a key limited to the accounts of
        one owner while PostgreSQL is away."""
        events = await own_only(self.database, caller.owner_email, events)
        good = [event.by(caller.key_id) for event in events if isinstance(event, Event)]
        return in_place(events, await self._send([Record.of(topic, event) for event in good]))

    async def _send(self, records: Sequence[Record]) -> list[Via | TellbackError]:
        """Publish records durably; returns for each the path it took, or why it was not taken."""
        answers: list[Via | TellbackError] = []
        sent: list[Record] = []
        positions: list[int] = []
        for position, record in enumerate(records):
            if _is_too_large(record):
                answers.append(_too_large())
                continue
            answers.append("kafka")
            sent.append(record)
            positions.append(position)
        outcomes = await self.settled(await self.publisher.publish(sent))
        for index, outcome in outcomes.items():
            answers[positions[index]] = outcome
        return answers

    async def settled(self, receipt: Receipt) -> Mapping[int, Via | TellbackError]:
        """The outcomes of the records that Kafka did not take, by position: stored in the outbox, or refused. The key
        of each record must be its account."""
        failures = await receipt.failures()
        undelivered = sorted(index for index, error in failures.items() if isinstance(error, Unavailable))
        if not undelivered:
            return failures
        result = await self._to_outbox(receipt.records(undelivered))
        return {**failures, **dict.fromkeys(undelivered, result)}

    async def _to_outbox(self, records: Sequence[Record]) -> Via | TellbackError:
        try:
            async with asyncio.timeout(OUTBOX_SECONDS), self.database.write() as tx:
                await tx.emit_records(records)
        except (TimeoutError, Unavailable):
            # The rows may be committed nevertheless: a retry has the same ids.
            return Unavailable(
                "unavailable", "neither Kafka nor PostgreSQL took it; send it again", retry_after=RETRY_AFTER_SECONDS
            )
        self.relay.wake()
        return "outbox"


def _is_too_large(record: Record) -> bool:
    return len(record.value or b"") > MAX_EVENT_BYTES


def _too_large() -> TooLarge:
    return TooLarge("event_too_large", "one event takes at most 64 kB")
