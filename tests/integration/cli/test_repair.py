"""The commands that repair: dead letters tried again or dropped, topics read again, gaps accepted."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.cli.checks import Check, State, state
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.kafka.batch import RunnerConfig
from shared.kafka.partition import partition_of
from shared.kafka.producer import Publisher
from shared.kafka.runner import Runner
from shared.records import Record
from shared.topics import RESPONSES
from shared.verdicts import NEW, REPEAT, Received, Verdict
from tests.support.environment import Environment
from tests.support.events import record_of, recorded
from tests.support.polling import eventually
from tests.support.processes import run_tellback


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
async def reading(environment: Environment, database: Database) -> AsyncIterator[Runner]:
    """A consumer of `responses` that stores nothing but the ids of events."""

    async def count(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        seen = await tx.seen(*(record.event.id for record in records))
        return [REPEAT if record.event.id in seen else NEW for record in records]

    config = RunnerConfig("scorer", (RESPONSES,), environment.kafka, environment.topic_prefix)
    runner = Runner(config, database, dict.fromkeys(RESPONSES.events, count))
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        await runner.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(database: Database, **expected: int) -> None:
    async def reached() -> bool:
        async with database.read() as tx:
            row = await tx.one(
                "select sum(read_count)::int as read, sum(new_count)::int as new, sum(repeat_count)::int as repeat,"
                " sum(dead_lettered_count)::int as dead, sum(accepted_gap)::int as gap from cursors"
            )
        found: dict[str, Any] = dict(row or {})
        assert {name: found[name] for name in expected} == expected
        return True

    await eventually(reached, timeout=30)


async def diagnosis(environment: Environment) -> Check:
    """What the doctor says of the scorer's reading."""
    return next(one for one in await state.reading(environment.common, "scorer") if one.name == "scorer: reading")


async def test_dead_letters_are_listed_shown_tried_again_and_dropped(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    bad = [Record.raw(RESPONSES, "acme", b"acme", b"junk %d" % number, []) for number in range(2)]
    await publisher.send_many(bad)
    async with reading(environment, database):
        await until(database, dead=2)
    listed = json.loads((await run_tellback(environment, "dlq", "list", "--json")).stdout)
    assert [(each["service"], each["reason"]) for each in listed] == [("scorer", "no_envelope")] * 2
    assert "junk" not in json.dumps(listed)
    assert re.fullmatch(r"\S{10}T\S+Z", listed[0]["parked_at"])
    shown = json.loads((await run_tellback(environment, "dlq", "show", listed[0]["id"])).stdout)
    assert shown["value"].startswith("junk")

    assert "2 dead letters are tried again" in (await run_tellback(environment, "dlq", "replay", "--all")).stdout
    assert "0 dead letters are tried again" in (await run_tellback(environment, "dlq", "replay", "--all")).stdout
    async with database.read() as tx:
        assert await tx.column("select state from parked") == ["retrying", "retrying"]
        assert await tx.scalar("select count(*) from outbox where topic = 'responses'") == 0

    assert (await run_tellback(environment, "dlq", "drop", listed[0]["id"])).returncode == 0
    gone = await run_tellback(environment, "dlq", "show", listed[0]["id"])
    assert gone.returncode == 1
    assert "unknown_dead_letter" in gone.stderr


async def test_a_replay_reads_everything_once_more_beside_a_running_service(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    await publisher.send_many([record_of(recorded(f"r{number}")) for number in range(5)])
    async with reading(environment, database):
        await until(database, read=5, new=5)
        assert (await run_tellback(environment, "replay", "scorer", "--topic", "responses")).returncode == 0
        # The fenced consumer notices with the next record.
        await publisher.send(record_of(recorded("r5")))
        await until(database, read=11, new=6, repeat=5)


async def test_a_replay_of_what_nobody_reads_is_refused(environment: Environment) -> None:
    for arguments in (("collector",), ("scorer", "--topic", "follow-ups"), ("nobody",)):
        done = await run_tellback(environment, "replay", *arguments)
        assert done.returncode == 2, done.stdout


async def test_a_gap_is_shown_and_only_accepted_when_asked(
    environment: Environment, database: Database, publisher: Publisher
) -> None:
    await publisher.send(record_of(recorded("r0")))
    async with reading(environment, database):
        await until(database, read=1)
    await publisher.send_many([record_of(recorded(f"r{number}")) for number in range(1, 5)])
    admin = AIOKafkaAdminClient(**environment.kafka.options())
    await admin.start()
    place = TopicPartition(environment.topic_prefix + "responses", partition_of("acme", 3))
    await admin.delete_records({place: RecordsToDelete(before_offset=3)})
    await admin.close()

    shown = await run_tellback(environment, "resume")
    assert shown.returncode == 1
    assert "--accept-gap" in shown.stderr
    assert json.loads((await run_tellback(environment, "resume", "--json")).stdout)[0]["lost"] == 2
    diagnosed = await diagnosis(environment)
    assert (diagnosed.state, diagnosed.found) == (
        State.FAILED,
        "retention deleted 2 records before they were read",
    )
    assert (await run_tellback(environment, "resume", "--accept-gap")).returncode == 0
    diagnosed = await diagnosis(environment)
    assert diagnosed.state is State.OK
    assert "; 2 that retention deleted unread were given up" in diagnosed.found
    assert "no gaps" in (await run_tellback(environment, "resume")).stdout
    async with reading(environment, database):
        await until(database, read=3, gap=2)
