"""The way through real Kafka in a test's hands: events published, and read by whatever scorer runs, to the end."""

from collections.abc import Sequence

from shared.db.engine import Database
from shared.events.envelope import Event, decode
from shared.kafka.producer import Publisher
from shared.topics import RESPONSES, Topic
from tests.support.environment import Environment
from tests.support.events import record_of, topic_records
from tests.support.polling import eventually


async def publish(environment: Environment, events: Sequence[Event], topic: Topic = RESPONSES) -> None:
    """Append events to a topic, in their order."""
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    try:
        assert set(await publisher.send_many([record_of(event, topic) for event in events])) == {None}
    finally:
        await publisher.stop()


async def read_until(database: Database, records: int, seconds: float = 30) -> None:
    """Wait until so many records were read, everything is projected and the outbox is empty."""

    async def done() -> bool:
        async with database.read() as tx:
            read = await tx.scalar("select coalesce(sum(read_count), 0) from cursors")
            waiting = await tx.scalar("select count(*) from dirty_accounts")
            unpublished = await tx.scalar("select count(*) from outbox where published_at is null")
        assert (read, waiting, unpublished) == (records, 0, 0)
        return True

    await eventually(done, seconds)


async def published(environment: Environment, topic: Topic) -> list[Event]:
    """Every event that the topic holds."""
    found = await topic_records(environment.kafka, environment.topic_prefix + topic.name)
    return [decode(record.headers, record.value) for record in found]
