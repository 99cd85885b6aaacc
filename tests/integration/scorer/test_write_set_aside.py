"""Records on which the scorer's handlers failed at random, and which were applied later, lead to the same rows as if
nothing had failed: on real Kafka, through the consumer itself."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from services.scorer.app import build
from services.scorer.consumer import PLAIN, handlers
from services.scorer.store import import_rows
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.files import Origin
from shared.ids import uuid7
from shared.kafka.batch import RunnerConfig
from shared.kafka.producer import Publisher
from shared.kafka.runner import Runner
from shared.topics import RESPONSES
from shared.verdicts import BatchHandler, Received, Verdict
from tests.integration.scorer.writing import SUBJECT, TABLES, Writer, amended, withdrawn, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, record_of, recorded
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually
from tests.support.processes import run_tellback

ANSWERS = 60
EVENTS = ANSWERS + 40 + 10
LATER = NOW + timedelta(hours=2)


def history(dice: random.Random, import_id: UUID) -> list[Event]:
    """Answers of unique ids, rows of one file; amendments and withdrawals of some of them, shuffled."""
    answers = [
        recorded(
            f"r{number}",
            dice.choice(["acme", "other"]),
            stakeholder_id=dice.choice(["ann", "bob", "cy"]),
            score=dice.randint(0, 10),
            answered_at=NOW - timedelta(days=dice.randint(0, 200)),
        ).of_file(Origin(import_id, number, "upsert", NOW).header())
        for number in range(ANSWERS)
    ]
    amendments = [
        amended(
            answer.data.response_id,  # type: ignore[attr-defined]
            {"score": dice.randint(0, 10)},
            answer.account_id,
            recorded_at=NOW + timedelta(minutes=dice.randint(1, 30)),
        )
        for answer in dice.choices(answers, k=40)
    ]
    withdrawals = [
        withdrawn(answer.data.response_id, answer.account_id)  # type: ignore[attr-defined]
        for answer in dice.sample(answers, 10)
    ]
    events = [*answers, *amendments, *withdrawals]
    dice.shuffle(events)
    return events


def failing(table: Mapping[str, BatchHandler], bad: set[UUID]) -> dict[str, BatchHandler]:
    """The handlers, which raise on events of `bad`."""

    def guarded(handler: BatchHandler) -> BatchHandler:
        async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
            if any(record.event.id in bad for record in records):
                raise KeyError
            return await handler(tx, records)

        return handle

    guards = {handler: guarded(handler) for handler in set(table.values())}
    return {name: guards[handler] for name, handler in table.items()}


@asynccontextmanager
async def consuming(scorer: Writer, environment: Environment, bad: set[UUID]) -> AsyncIterator[None]:
    config = RunnerConfig(
        "scorer",
        (RESPONSES,),
        environment.kafka,
        environment.topic_prefix,
        session_timeout_ms=6_000,
        journal=Journal(SUBJECT),
        plain=PLAIN,
    )
    runner = Runner(config, scorer.database, failing(handlers(scorer.fold, scorer.undoing, scorer.facts), bad))
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        await runner.stop()
        await task


async def all_read(scorer: Writer) -> bool:
    async with scorer.database.read() as tx:
        assert await tx.scalar("select sum(read_count)::int from cursors") == EVENTS
    return True


async def nothing_waits(scorer: Writer) -> bool:
    async with scorer.database.write() as tx:
        await tx.execute("update parked set next_try_at = now() where state = 'retrying'")
        assert await tx.scalar("select count(*) from parked") == 0
    return True


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_applied_late_is_applied_the_same(environment: Environment, seed: int) -> None:
    dice = random.Random(seed)
    import_id = uuid7()
    events = history(dice, import_id)
    async with writer(environment, FrozenClock(LATER)) as scorer:
        await scorer.take(*events)
        await scorer.project()
        expected = await scorer.state()
        async with scorer.database.write() as tx:
            await tx.execute(
                f"truncate {', '.join(TABLES)}, dirty_accounts, outbox, inbox, dropped_responses, parked, cursors,"
                " import_rows_seen"
            )
        publisher = Publisher(environment.kafka, environment.topic_prefix)
        await publisher.start()
        await publisher.send_many([record_of(event) for event in events])
        await publisher.stop()
        bad = {event.id for event in dice.sample(events, 12)}
        async with consuming(scorer, environment, bad):
            await eventually(lambda: all_read(scorer), timeout=60)
            bad.clear()
            await eventually(lambda: nothing_waits(scorer), timeout=60)
        await scorer.project()
        assert await scorer.state() == expected
        async with scorer.database.read() as tx:
            counted = await import_rows.counts_of(tx, import_id)
        assert (counted["new"], sum(counted.values())) == (ANSWERS, ANSWERS), "each row once, also those that came late"


async def test_a_row_that_is_dropped_after_it_was_set_aside_is_counted_and_the_import_settles(
    environment: Environment,
) -> None:
    import_id = uuid7()
    rows = [
        recorded(f"r{number}", "acme").of_file(Origin(import_id, number, "upsert", NOW).header()) for number in range(4)
    ]
    bad = {rows[1].id, rows[2].id}
    async with writer(environment, FrozenClock(LATER)) as scorer:

        async def given_up() -> bool:
            async with scorer.database.write() as tx:
                await tx.execute("update parked set next_try_at = now() where state = 'retrying'")
                return int(await tx.scalar("select count(*) from parked where state = 'dead'")) == len(bad)

        async with consuming(scorer, environment, bad):
            publisher = Publisher(environment.kafka, environment.topic_prefix)
            await publisher.start()
            await publisher.send_many([record_of(event) for event in rows])
            await publisher.stop()
            await eventually(given_up, timeout=60)
        async with scorer.database.read() as tx:
            by_call, by_command = await tx.column("select id from parked order by record_offset")
    assert (await run_tellback(environment, "dlq", "drop", str(by_command))).returncode == 0
    async with running(build(environment.common, FrozenClock(LATER))) as client:
        client.headers.update(bearer(await api_key(environment, ["manage", "read"])))
        assert (await client.delete(f"/v1/dead-letters/{by_call}")).status_code == 204
        found = (await client.get(f"/v1/imports/{import_id}")).json()
        limited = bearer(await api_key(environment, ["read"], owner_email="mo@supplier.example"))
        seen = (await client.get(f"/v1/imports/{import_id}", headers=limited)).json()
    assert (found["read"], found["new"], found["dropped"]) == (4, 2, 2)
    dropped = {"outcome": "dropped", "code": "handler_error", "fields": []}
    assert found["lines"] == [{"line": 1} | dropped, {"line": 2} | dropped]
    assert seen == found | {"lines": []}, "a key that is limited to an owner sees numbers alone"
