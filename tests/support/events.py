"""Complete events for tests, which state only the fields that matter to them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.envelope import Event
from shared.events.responses import ResponseRecorded, ResponseWithdrawn, StakeholderErased
from shared.ids import uuid7
from shared.kafka.connection import KafkaConnection
from shared.records import Record
from shared.topics import RESPONSE_RECORDED, RESPONSE_WITHDRAWN, RESPONSES, STAKEHOLDER_ERASED, Topic

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def recorded(response_id: str, account_id: str = "acme", **fields: Any) -> Event:
    """A response.recorded event: nps 9 by `ann` at `NOW` unless told otherwise."""
    values: dict[str, Any] = {
        "stakeholder_id": "ann",
        "survey_type": "nps",
        "score": 9,
        "answered_at": NOW,
        "recorded_at": NOW,
        "nps_kind": "relationship",
        "sent": ("account_id", "stakeholder_id", "survey_type", "score"),
    }
    data = ResponseRecorded(response_id=response_id, account_id=account_id, **(values | fields))
    return Event(UUID(bytes=uuid7().bytes), RESPONSE_RECORDED, "/tests", NOW, account_id, data)


def erased(account_id: str, stakeholder_id: str) -> Event:
    """A stakeholder.erased event, at `NOW`."""
    event_id = UUID(bytes=uuid7().bytes)
    data = StakeholderErased(
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        subject=f"hash of {account_id}/{stakeholder_id}",
        receipt_id=event_id,
        erased_at=NOW,
    )
    return Event(event_id, STAKEHOLDER_ERASED, "/tests", NOW, account_id, data)


def withdrawn(response_id: str, account_id: str = "acme") -> Event:
    """A response.withdrawn event, at `NOW`."""
    event_id = UUID(bytes=uuid7().bytes)
    data = ResponseWithdrawn(event_id=event_id, response_id=response_id, account_id=account_id, recorded_at=NOW)
    return Event(event_id, RESPONSE_WITHDRAWN, "/tests", NOW, account_id, data)


def record_of(event: Event, topic: Topic = RESPONSES) -> Record:
    """The record that carries an event."""
    return Record.of(topic, event)


async def topic_records(kafka: KafkaConnection, name: str) -> Sequence[Any]:
    """Every record that the topic (full name) holds now, partition by partition in offset order."""
    consumer = AIOKafkaConsumer(**kafka.options(), enable_auto_commit=False)
    await consumer.start()
    try:
        numbers = await consumer._client._wait_on_metadata(name)
        places = [TopicPartition(name, number) for number in sorted(numbers)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: list[Any] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()
