"""The consumer loop on real Kafka and PostgreSQL: every record is counted once, whatever happens in between."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.db.transaction import WriteTx
from shared.kafka.batch import RunnerConfig
from shared.kafka.partition import partition_of
from shared.kafka.runner import COMMIT_SECONDS, Runner
from shared.records import Record
from shared.topics import RESPONSES
from shared.verdicts import Received, Verdict, conflict, dead_letter
from tests.support.consumer import Counter, Scene
from tests.support.environment import Environment
from tests.support.events import record_of, recorded
from tests.support.polling import eventually


@pytest.fixture
async def scene(environment: Environment) -> AsyncIterator[Scene]:
    async with Scene.of(environment) as scene:
        yield scene


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
    no_envelope = Record.raw(RESPONSES, "acme", b"acme", b"not json", [])
    headers = recorded("x").headers()
    wrong_major = [(name, b"com.tellback.response.recorded.v9" if name == "ce_type" else raw) for name, raw in headers]
    bad = [
        no_envelope,
        Record.raw(RESPONSES, "acme", b"acme", None, headers),
        Record.raw(RESPONSES, "acme", b"acme", b"{}", wrong_major),
        Record.raw(RESPONSES, "acme", b"acme", b'{"response_id": 1}', headers),
        Record.raw(RESPONSES, "acme", b"other", recorded("y").value(), headers),
        Record.raw(RESPONSES, "acme", b"acme", b"\xff" * 1_000_000, headers),
    ]
    other = recorded("z")
    elsewhere = (partition_of("acme", 3) + 1) % 3
    bad.append(Record.raw(RESPONSES, "acme", b"acme", other.value(), other.headers(), partition=elsewhere))
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


async def test_too_many_dead_letters_halt_the_consumer(scene: Scene) -> None:
    await scene.publisher.send_many([Record.raw(RESPONSES, "acme", b"acme", b"junk", [])] * 20)
    async with scene.running(dead_letter_limit=10) as runner:
        await scene.halted(runner, "dead_letter_limit")
    assert (await scene.totals())["read"] == 0


async def test_c5_an_additive_type_is_passed_over_and_no_dead_letter(scene: Scene) -> None:
    headers = recorded("x").headers()
    added = [(name, b"com.tellback.response.praised.v1" if name == "ce_type" else raw) for name, raw in headers]
    await scene.publisher.send_many([Record.raw(RESPONSES, "acme", b"acme", b"{}", added)])
    await scene.send("good")
    async with scene.running():
        await scene.until(read=2, new=1, passed_over=1, dead=0)


async def test_a_replica_that_was_overtaken_writes_nothing(scene: Scene) -> None:
    """A paused replica resumes after another has claimed its partition: its batch is fenced, and the count is right."""
    scene.handler.gate.clear()
    await scene.send("r1", "r2")
    async with scene.running():
        await eventually(lambda: scene.handler.calls > 0)
        async with scene.database.write() as tx:
            # The batch has locked the cursor row and keeps its transaction open: claim outside of it.
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
    """Whether the group's committed offset has reached this one."""
    admin = AIOKafkaAdminClient(**scene.environment.kafka.options())
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(f"{scene.environment.topic_prefix}tellback-scorer")
    finally:
        await admin.close()
    place = TopicPartition(scene.environment.topic_prefix + "responses", partition_of("acme", 3))
    return place in offsets and offsets[place].offset == offset


async def test_another_kafka_under_the_same_cursors_halts_with_a_named_reason(scene: Scene) -> None:
    await scene.send("r1")
    async with scene.running():
        await scene.until(new=1)
    async with scene.database.write() as tx:
        await tx.execute("update cursors set cluster_id = 'another'")
    async with scene.running() as runner:
        await scene.halted(runner, "kafka_replaced")


async def test_a_restored_topic_is_told_by_its_last_record(scene: Scene) -> None:
    await scene.send("r1")
    async with scene.running():
        await scene.until(new=1)
    async with scene.database.write() as tx:
        await tx.execute("update cursors set last_fingerprint = 'another record' where last_offset is not null")
    async with scene.running() as runner:
        await scene.halted(runner, "kafka_replaced")


async def test_retention_that_passed_the_cursor_halts_and_says_how_many_are_lost(scene: Scene) -> None:
    await scene.send("r1")
    async with scene.running():
        await scene.until(new=1)
    await scene.send("r2", "r3", "r4")
    admin = AIOKafkaAdminClient(**scene.environment.kafka.options())
    await admin.start()
    place = TopicPartition(scene.environment.topic_prefix + "responses", partition_of("acme", 3))
    await admin.delete_records({place: RecordsToDelete(before_offset=3)})
    await admin.close()
    async with scene.running() as runner:
        await scene.halted(runner, "retention_gap")
        assert "2 records" in (runner.remark or "")


async def test_a_handler_is_missing_for_an_event_of_the_topic(scene: Scene) -> None:
    config = RunnerConfig("scorer", (RESPONSES,), scene.environment.kafka)
    with pytest.raises(ValueError, match=r"response\.amended"):
        Runner(config, scene.database, {"response.recorded": scene.handler})


async def test_the_lag_is_measured_from_the_first_record_on(scene: Scene) -> None:
    """A service that has never read anything knows nothing, and goes on measuring."""
    first = scene.runner()
    await first.observe()
    assert not first.is_within(60)
    async with scene.running() as runner:
        await scene.send("r1")
        await scene.until(new=1)
        await runner.observe()
        assert runner.is_within(60)


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
    """The database refuses connections and drops the existing ones."""
    base, _, name = scene.environment.database_url.rpartition("/")
    connection = await asyncpg.connect(f"{base}/postgres")
    try:
        await connection.execute(f"alter database {name} with allow_connections false")
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        yield
    finally:
        await connection.execute(f"alter database {name} with allow_connections true")
        await connection.close()
