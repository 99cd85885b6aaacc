"""The outbox on real parts: committed events leave in order, others never do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import SystemClock, booted_at
from shared.db.engine import Database
from shared.db.outbox import Relay
from shared.errors import TellbackError
from shared.kafka.headers import unpack
from shared.kafka.producer import Publisher
from shared.records import KafkaUnavailable, Record
from shared.topics import RESPONSES
from tests.support.environment import Environment
from tests.support.events import recorded, topic_records


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


async def emit(database: Database, *names: str) -> None:
    async with database.write() as tx:
        await tx.emit(RESPONSES, *(recorded(name) for name in names))


async def pending(database: Database) -> int:
    async with database.read() as tx:
        return int(await tx.scalar("select count(*) from outbox where published_at is null"))


async def test_committed_events_leave_in_the_order_they_were_written(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    names = [f"r{number}" for number in range(50)]
    for name in names:
        await emit(database, name)
    assert await Relay(database, publisher.send_many).relay_once() == 50
    found = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    assert [recorded(name).value() for name in names] == [record.value for record in found]
    assert await pending(database) == 0


async def test_what_was_rolled_back_never_leaves(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    async def emit_and_fail() -> None:
        async with database.write() as tx:
            await tx.emit(RESPONSES, recorded("r1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await emit_and_fail()
    assert await Relay(database, publisher.send_many).relay_once() == 0
    assert not await topic_records(environment.kafka, environment.topic_prefix + "responses")


async def test_after_a_failure_the_later_rows_of_the_account_wait_too(database: Database) -> None:
    async with database.write() as tx:
        await tx.emit(RESPONSES, recorded("a1", "a"), recorded("b1", "b"), recorded("a2", "a"), recorded("b2", "b"))

    async def first_fails(records: Sequence[Record]) -> Sequence[TellbackError | None]:
        return [KafkaUnavailable(), None, None, None]

    assert await Relay(database, first_fails).relay_once() == 2
    async with database.read() as reading:
        waiting = await reading.all("select account_id from outbox where published_at is null order by id")
    assert [row["account_id"] for row in waiting] == ["a", "a"]


async def test_one_relay_sends_at_a_time(database: Database) -> None:
    await emit(database, "r1")
    sending, release = asyncio.Event(), asyncio.Event()

    async def slow(records: Sequence[Record]) -> Sequence[TellbackError | None]:
        sending.set()
        await release.wait()
        return [None] * len(records)

    first = asyncio.create_task(Relay(database, slow).relay_once())
    await sending.wait()
    assert await Relay(database, slow).relay_once() == 0
    release.set()
    assert await first == 1


async def test_rows_sent_in_a_lost_transaction_go_out_again_with_the_same_ids(database: Database) -> None:
    await emit(database, "r1")
    sent: list[str] = []

    async def lose_the_transaction(records: Sequence[Record]) -> Sequence[TellbackError | None]:
        sent.extend(dict(unpack(record.headers))["ce_id"].decode() for record in records)
        if len(sent) == 1:
            async with database.write() as tx:
                await tx.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
        return [None] * len(records)

    relay = Relay(database, lose_the_transaction)
    with pytest.raises(TellbackError):
        await relay.relay_once()
    assert await relay.relay_once() == 1
    assert len(sent) == 2
    assert sent[0] == sent[1]


async def test_what_was_published_minutes_before_a_power_cut_goes_out_again_in_order_and_once(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    await emit(database, "long-before", "r1", "r2", "r3")
    assert await Relay(database, publisher.send_many).relay_once() == 4
    async with database.write() as tx:
        await tx.execute(
            "update outbox set created_at = created_at - interval '1 day', published_at = published_at"
            " - case when id = (select min(id) from outbox) then interval '1 day 5 minutes' else interval '1 day' end"
        )
    await emit(database, "after-the-start")
    booted_at = datetime.now(UTC) - timedelta(hours=1)
    relays = [Relay(database, publisher.send_many, booted_at=booted_at) for _ in range(2)]
    assert await relays[0].send_again() == 3
    assert await relays[1].send_again() == 0
    assert await relays[0].relay_once() == 4
    assert await relays[1].send_again() == 0
    found = await topic_records(environment.kafka, environment.topic_prefix + "responses")
    again = [recorded(name).value() for name in ("r1", "r2", "r3", "after-the-start")]
    assert [record.value for record in found][4:] == again


async def test_what_was_published_since_the_machine_started_is_sent_once(
    database: Database, publisher: Publisher
) -> None:
    await emit(database, "r1")
    relay = Relay(database, publisher.send_many, booted_at=booted_at(SystemClock()))
    assert await relay.relay_once() == 1
    assert await relay.send_again() == 0
    assert await pending(database) == 0
