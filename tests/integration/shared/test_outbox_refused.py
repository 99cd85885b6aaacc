"""Outbox rows that cannot be sent, on real parts: they block only their own account, and are kept."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from shared.db.engine import Database
from shared.db.outbox import BATCH, Relay, Send
from shared.db.parked import list_parked, put_back
from shared.errors import TellbackError
from shared.kafka.producer import Publisher
from shared.records import KafkaUnavailable, Record
from shared.topics import DEAD_LETTERS, RESPONSES
from tests.support.environment import Environment
from tests.support.events import NOW, recorded, topic_records
from tests.support.polling import eventually


@pytest.fixture
async def database(environment: Environment) -> AsyncIterator[Database]:
    database = Database(environment.database_url, "scorer")
    yield database
    await database.close()


@pytest.fixture
async def publisher(environment: Environment) -> AsyncIterator[Publisher]:
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    yield publisher
    await publisher.stop()


@asynccontextmanager
async def relaying(database: Database, send: Send) -> AsyncIterator[None]:
    """A running relay for the block."""
    task = asyncio.create_task(Relay(database, send).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def published(environment: Environment, account_id: str = "", topic: str = "responses") -> list[bytes]:
    """The values of an account in the topic, in order and without repeats: after a failure later rows are sent again
    too."""
    records = await topic_records(environment.kafka, environment.topic_prefix + topic)
    return list(dict.fromkeys(record.value for record in records if record.key == account_id.encode()))


async def left(database: Database, rows: int) -> bool:
    async with database.read() as tx:
        return bool(await tx.scalar("select count(*) = :rows from outbox where published_at is null", rows=rows))


BROKEN = {
    "too large": "update outbox set value = decode(repeat('00', 1200000), 'hex') where id = :id",
    "of no topic of ours": "update outbox set topic = 'nonsense' where id = :id",
    "of a partition that is not there": "update outbox set partition = 4711 where id = :id",
    "with headers that are none": "update outbox set headers = '' where id = :id",
    "with half a header": "update outbox set headers = substr(headers, 1, 9) where id = :id",
}


@pytest.mark.parametrize("statement", BROKEN.values(), ids=BROKEN)
async def test_a_row_that_can_never_leave_is_parked_and_its_account_goes_on_in_order(
    environment: Environment, database: Database, publisher: Publisher, statement: str
) -> None:
    async with database.write() as tx:
        await tx.emit(RESPONSES, *(recorded(name, "a") for name in ("a1", "a2", "a3")), recorded("b1", "b"))
        first = await tx.scalar("select min(id) from outbox")
        await tx.execute(statement, id=first)
        content = await tx.scalar("select value from outbox where id = :id", id=first)
    async with relaying(database, publisher.send_many):
        await eventually(lambda: left(database, 3))
        assert await published(environment, "b") == [recorded("b1", "b").value()]
        await eventually(lambda: left(database, 0), timeout=20)
    assert await published(environment, "a") == [recorded(name, "a").value() for name in ("a2", "a3")]
    async with database.read() as tx:
        (parked,) = await list_parked(tx, "dead_letter")
        kept = await tx.one("select state, value from parked")
    assert (parked.reason, parked.account_id, parked.offset) == ("unpublishable", "a", first)
    assert kept is not None
    assert dict(kept) == {"state": "dead", "value": content}


async def test_what_waits_at_the_head_stops_no_other_account(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    async def away_for_one(records: Sequence[Record]) -> Sequence[TellbackError | None]:
        kept = [record for record in records if record.account_id != "stuck"]
        answers = iter(await publisher.send_many(kept))
        return [KafkaUnavailable() if record.account_id == "stuck" else next(answers) for record in records]

    async with database.write() as tx:
        await tx.emit(RESPONSES, *(recorded(f"s{number}", "stuck") for number in range(BATCH)))
        await tx.emit(RESPONSES, recorded("o1", "other"))
    async with relaying(database, away_for_one):
        await eventually(lambda: left(database, BATCH))
        assert await published(environment, "other") == [recorded("o1", "other").value()]
    async with relaying(database, publisher.send_many):
        await eventually(lambda: left(database, 0), timeout=20)
    names = [f"s{number}" for number in range(BATCH)]
    assert await published(environment, "stuck") == [recorded(name, "stuck").value() for name in names]


async def test_a_dead_letter_that_cannot_leave_stops_no_other_dead_letter(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    async with database.write() as tx:
        await tx.emit_raw(DEAD_LETTERS, "", b"", b"broken", [], partition=4711)
        await tx.emit_raw(DEAD_LETTERS, "", b"", b"sound", [], partition=0)
    async with relaying(database, publisher.send_many):
        await eventually(lambda: left(database, 1))
        assert await published(environment, topic=DEAD_LETTERS.name) == [b"sound"]
        await eventually(lambda: left(database, 0), timeout=20)


async def test_a_parked_row_leaves_once_its_cause_is_gone_and_it_is_put_back(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    async with database.write() as tx:
        await tx.emit(RESPONSES, recorded("a1", "a"))
        await tx.execute("update outbox set topic = 'nonsense'")
    async with relaying(database, publisher.send_many):
        await eventually(lambda: left(database, 0), timeout=20)
        async with database.write() as tx:
            await tx.execute("update parked set topic = 'responses'")
            (parked,) = await list_parked(tx, "dead_letter")
            await put_back(tx, parked.id, NOW)
        await eventually(lambda: left(database, 0))
    assert await published(environment, "a") == [recorded("a1", "a").value()]
