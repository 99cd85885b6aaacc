"""The consumer loop on real Kafka and PostgreSQL: every record counted once, whatever happens in between."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.db.engine import Database, DatabaseUnavailable
from shared.db.transaction import WriteTx
from shared.errors import Halt
from shared.kafka.batch import RunnerConfig
from shared.kafka.partition import partition_of
from shared.kafka.producer import Publisher
from shared.kafka.runner import COMMIT_SECONDS, Runner
from shared.records import OutRecord
from shared.topics import RESPONSES
from shared.verdicts import NEW, REPEAT, Received, Verdict, conflict, dead_letter
from tests.support.environment import Environment
from tests.support.events import record_of, recorded
from tests.support.polling import eventually


class Counter:
    """A handler with the smallest possible state: one inbox row a response, in the batch's own transaction."""

    def __init__(self) -> None:
        self.answers: dict[str, Verdict] = {}
        self.calls = 0
        self.trip: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        self.calls += 1
        await self.gate.wait()
        if self.trip is not None:
            trip, self.trip = self.trip, None
            raise trip
        seen = await tx.seen(*(record.event.id for record in records))
        verdicts = []
        for record in records:
            response_id = getattr(record.event.data, "response_id", "")
            verdicts.append(self.answers.get(response_id, REPEAT if record.event.id in seen else NEW))
        return verdicts


class Scene:
    """One environment with a publisher and a database handle, and runners on demand."""

    def __init__(self, environment: Environment, database: Database, publisher: Publisher) -> None:
        self.environment = environment
        self.database = database
        self.publisher = publisher
        self.handler = Counter()

    def runner(self, **config: Any) -> Runner:
        settings: dict[str, Any] = {
            "service": "scorer",
            "topics": (RESPONSES,),
            "bootstrap_servers": self.environment.kafka,
            "topic_prefix": self.environment.topic_prefix,
            "session_timeout_ms": 6_000,
        }
        handlers = dict.fromkeys(RESPONSES.events, self.handler)
        return Runner(RunnerConfig(**(settings | config)), self.database, handlers)

    @asynccontextmanager
    async def running(self, **config: Any) -> AsyncIterator[Runner]:
        runner = self.runner(**config)
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            await runner.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def send(self, *response_ids: str) -> None:
        await self.publisher.send_many([record_of(recorded(name)) for name in response_ids])

    async def totals(self) -> Mapping[str, Any]:
        async with self.database.read() as tx:
            row = await tx.one(
                "select coalesce(sum(read_count), 0)::int as read, coalesce(sum(new_count), 0)::int as new,"
                " coalesce(sum(repeat_count), 0)::int as repeat, coalesce(sum(conflict_count), 0)::int as conflict,"
                " coalesce(sum(dead_lettered_count), 0)::int as dead, max(epoch)::int as epoch from cursors"
            )
            stored = await tx.scalar("select count(*) from inbox")
        return dict(row or {}) | {"stored": stored}

    async def answers(self) -> bool:
        """Whether the database takes our own connections; those that it ended are replaced by asking."""
        with contextlib.suppress(DatabaseUnavailable):
            await self.database.ping()
            return True
        return False

    async def until(self, **expected: Any) -> None:
        async def reached() -> bool:
            totals = await self.totals()
            assert {name: totals[name] for name in expected} == expected
            return True

        await eventually(reached, timeout=20)


@pytest.fixture
async def scene(environment: Environment) -> AsyncIterator[Scene]:
    database = Database(environment.database_url, "scorer")
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    yield Scene(environment, database, publisher)
    await publisher.stop()
    await database.close()


async def test_every_record_is_counted_once(scene: Scene) -> None:
    await scene.send(*(f"r{number}" for number in range(200)))
    async with scene.running():
        await scene.until(read=200, new=200, stored=200)


async def test_a_new_start_goes_on_at_the_cursor(scene: Scene) -> None:
    await scene.send("r1", "r2")
    async with scene.running():
        await scene.until(new=2)
    await scene.send("r3")
    async with scene.running():
        await scene.until(read=3, new=3, repeat=0)


async def test_a_replay_from_the_start_counts_repeats_and_stores_nothing_twice(scene: Scene) -> None:
    await scene.send("r1", "r2", "r3")
    async with scene.running():
        await scene.until(new=3)
    async with scene.database.write() as tx:
        await tx.execute("update cursors set next_offset = 0, last_offset = null")
    async with scene.running():
        await scene.until(read=6, new=3, repeat=3, stored=3)


async def test_a_lost_transaction_is_run_again_and_counts_once(scene: Scene) -> None:
    async def kill_own_backend(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        scene.handler.calls += 1
        if scene.handler.calls == 1:
            await tx.scalar("select pg_terminate_backend(pg_backend_pid())")
        return await Counter.__call__(scene.handler, tx, records)

    await scene.send("r1", "r2")
    runner = scene.runner()
    runner._handlers = dict.fromkeys(RESPONSES.events, kill_own_backend)
    task = asyncio.create_task(runner.run())
    await scene.until(read=2, new=2, stored=2)
    await runner.stop()
    await task
    assert scene.handler.calls > 1


async def test_poison_is_parked_and_delays_nothing_behind_it(scene: Scene) -> None:
    no_envelope = OutRecord(RESPONSES, "acme", b"acme", b"not json", [])
    headers = recorded("x").headers()
    wrong_major = [(name, b"com.tellback.response.recorded.v9" if name == "ce_type" else raw) for name, raw in headers]
    bad = [
        no_envelope,
        OutRecord(RESPONSES, "acme", b"acme", None, headers),
        OutRecord(RESPONSES, "acme", b"acme", b"{}", wrong_major),
        OutRecord(RESPONSES, "acme", b"acme", b'{"response_id": 1}', headers),
        OutRecord(RESPONSES, "acme", b"other", recorded("y").value(), headers),
        OutRecord(RESPONSES, "acme", b"acme", b"\xff" * 1_000_000, headers),
    ]
    other = recorded("z")
    elsewhere = (partition_of("acme", 3) + 1) % 3
    bad.append(OutRecord(RESPONSES, "acme", b"acme", other.value(), other.headers(), partition=elsewhere))
    await scene.publisher.send_many(bad)
    await scene.send("good")
    async with scene.running():
        await scene.until(read=8, new=1, dead=7)
    async with scene.database.read() as tx:
        parked = await tx.all("select reason from parked order by record_offset, partition")
        published = await tx.scalar("select count(*) from outbox where topic = 'dead-letters'")
    assert {row["reason"] for row in parked} == {
        "no_envelope",
        "null_value",
        "unknown_type",
        "invalid_data",
        "wrong_key",
        "wrong_partition",
    }
    assert published == 7


async def test_conflicts_and_a_handlers_dead_letters_are_parked_with_their_reason(scene: Scene) -> None:
    scene.handler.answers = {"c": conflict("other_body"), "d": dead_letter("no_such_thing")}
    await scene.send("c", "d", "fine")
    async with scene.running():
        await scene.until(read=3, new=1, conflict=1, dead=1)
    async with scene.database.read() as tx:
        rows = await tx.all("select kind, reason from parked order by record_offset")
    assert [(row["kind"], row["reason"]) for row in rows] == [
        ("conflict", "other_body"),
        ("dead_letter", "no_such_thing"),
    ]


async def test_too_many_dead_letters_stop_the_consumer(scene: Scene) -> None:
    await scene.publisher.send_many([OutRecord(RESPONSES, "acme", b"acme", b"junk", [])] * 20)
    with pytest.raises(Halt) as halted:
        await scene.runner(dead_letter_limit=10).run()
    assert halted.value.code == "dead_letter_limit"
    assert (await scene.totals())["read"] == 0


async def test_an_unexpected_error_stops_loudly_and_writes_nothing(scene: Scene) -> None:
    scene.handler.trip = ZeroDivisionError("a bug")
    await scene.send("r1")
    with pytest.raises(ZeroDivisionError):
        await scene.runner().run()
    assert (await scene.totals())["read"] == 0


async def test_a_replica_that_was_overtaken_writes_nothing(scene: Scene) -> None:
    """The paused one wakes up after another has claimed its partition: its batch is dropped, the count is right."""
    scene.handler.gate.clear()
    await scene.send("r1", "r2")
    async with scene.running():
        await eventually(lambda: scene.handler.calls > 0)
        async with scene.database.write() as tx:
            # The cursor row is locked by the batch, which holds its transaction open: overtake from outside of it.
            await tx.execute("set local lock_timeout = '10s'")
            claimed = asyncio.create_task(tx.execute("update cursors set epoch = epoch + 1, owner = 'other'"))
            scene.handler.gate.set()
            await claimed
        await scene.send("r3")
        await scene.until(read=3, new=3, stored=3)


async def test_two_replicas_share_the_partitions(scene: Scene) -> None:
    async with scene.running(owner="one"), scene.running(owner="two"):
        accounts = [f"account-{number}" for number in range(60)]
        await scene.publisher.send_many([record_of(recorded(f"r-{name}", name)) for name in accounts])
        await scene.until(new=60, stored=60)

        async def shared() -> bool:
            async with scene.database.read() as tx:
                owners = await tx.all("select distinct owner from cursors")
            return {row["owner"] for row in owners} == {"one", "two"}

        await eventually(shared, timeout=20)


async def test_nothing_is_committed_to_the_group_between_two_assignments(scene: Scene) -> None:
    async with scene.running() as runner:
        await scene.send("r1")
        await scene.until(new=1)
        await eventually(partial(in_kafka, scene, 1))
        await runner._rebalance.on_partitions_revoked(())
        number, until = 1, time.monotonic() + 2 * COMMIT_SECONDS
        while time.monotonic() < until:
            number += 1
            await scene.send(f"r{number}")
            await scene.until(new=number)
        assert await in_kafka(scene, 1)
        await runner._rebalance.on_partitions_assigned(())
        await eventually(partial(in_kafka, scene, number))


async def in_kafka(scene: Scene, offset: int) -> bool:
    """Whether Kafka has heard that the group has read so far."""
    admin = AIOKafkaAdminClient(bootstrap_servers=scene.environment.kafka)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(f"{scene.environment.topic_prefix}tellback-scorer")
    finally:
        await admin.close()
    place = TopicPartition(scene.environment.topic_prefix + "responses", partition_of("acme", 3))
    return place in offsets and offsets[place].offset == offset


async def test_another_kafka_under_the_same_cursors_stops_with_a_named_error(scene: Scene) -> None:
    await scene.send("r1")
    async with scene.running():
        await scene.until(new=1)
    async with scene.database.write() as tx:
        await tx.execute("update cursors set cluster_id = 'another'")
    with pytest.raises(Halt) as halted:
        await scene.runner().run()
    assert halted.value.code == "kafka_replaced"


async def test_a_restored_topic_is_told_by_its_last_record(scene: Scene) -> None:
    await scene.send("r1")
    async with scene.running():
        await scene.until(new=1)
    async with scene.database.write() as tx:
        await tx.execute("update cursors set last_fingerprint = 'another record' where last_offset is not null")
    with pytest.raises(Halt) as halted:
        await asyncio.wait_for(scene.runner().run(), 20)
    assert halted.value.code == "kafka_replaced"


async def test_retention_that_passed_the_cursor_stops_and_says_how_many_are_lost(scene: Scene) -> None:
    await scene.send("r1")
    async with scene.running():
        await scene.until(new=1)
    await scene.send("r2", "r3", "r4")
    admin = AIOKafkaAdminClient(bootstrap_servers=scene.environment.kafka)
    await admin.start()
    place = TopicPartition(scene.environment.topic_prefix + "responses", partition_of("acme", 3))
    await admin.delete_records({place: RecordsToDelete(before_offset=3)})
    await admin.close()
    with pytest.raises(Halt) as halted:
        await scene.runner().run()
    assert halted.value.code == "retention_gap"
    assert "2 records" in halted.value.detail


async def test_a_handler_is_missing_for_an_event_of_the_topic(scene: Scene) -> None:
    config = RunnerConfig("scorer", (RESPONSES,), scene.environment.kafka)
    with pytest.raises(ValueError, match=r"response\.amended"):
        Runner(config, scene.database, {"response.recorded": scene.handler})


async def test_while_the_database_is_away_nothing_is_lost_and_nothing_is_parked(scene: Scene) -> None:
    async with scene.running() as runner:
        await scene.send("r1")
        await scene.until(new=1)
        async with _away(scene):
            await scene.send("r2", "r3")
            assert runner.ready
        await eventually(scene.answers)
        await scene.until(read=3, new=3, dead=0)


@asynccontextmanager
async def _away(scene: Scene) -> AsyncIterator[None]:
    """The database takes no connections and drops those it has."""
    base, _, name = scene.environment.database_url.rpartition("/")
    connection = await asyncpg.connect(f"{base}/postgres")
    try:
        await connection.execute(f"alter database {name} with allow_connections false")
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        yield
    finally:
        await connection.execute(f"alter database {name} with allow_connections true")
        await connection.close()
