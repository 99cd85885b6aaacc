"""How fast the scorer folds responses into PostgreSQL, beside consuming and decoding alone, and how long the figures
then take to catch up.

`make bench ARGS="scorer --responses 100000 --rounds 3"`. Each round reads the same topic twice, once a case, into a
database of its own; ratios are taken within a round, since the machine's speed drifts between rounds.
"""

import argparse
import asyncio
import contextlib
import random
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from services.scorer import READS, SCHEMA
from services.scorer.consumer import handlers
from services.scorer.handlers.erasure import Erasure
from services.scorer.handlers.facts import Facts
from services.scorer.handlers.projection import Projector
from services.scorer.handlers.responses import ResponseFold
from services.scorer.jobs import ProjectorJob
from services.scorer.settings import ScorerSettings
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx
from shared.erasure import subject_by
from shared.ids import uuid7
from shared.kafka.producer import Publisher
from shared.kafka.runner import Runner, RunnerConfig
from shared.records import OutRecord
from shared.topics import RESPONSES
from shared.verdicts import NEW, BatchHandler, Received, Verdict
from tests.support.environment import Environment, fresh_environment
from tests.support.events import recorded
from tests.support.polling import eventually
from tests.support.processes import embedded_kafka, embedded_postgres

CHUNK = 5_000
DEADLINE = 3_600.0


@dataclass(slots=True)
class Case:
    """What was measured: responses a second, and seconds until everything marked was projected."""

    name: str
    rates: list[float] = field(default_factory=list)
    caught_up: list[float] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="bench scorer", description=__doc__)
    parser.add_argument("--responses", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_measure(asked, kafka, postgres))
    return 0


async def _measure(asked: argparse.Namespace, kafka: str, postgres: str) -> None:
    cases = [Case("consume and decode"), Case("scorer")]
    async with fresh_environment(kafka, postgres) as source:
        await _publish(source, asked)
        for _ in range(asked.rounds):
            for case in cases:
                async with fresh_environment(kafka, postgres, topics=False) as fresh:
                    # The topics of the source, the database of its own: so every run reads the same records.
                    settings = fresh.common.model_copy(update={"topic_prefix": source.topic_prefix})
                    await _run(case, replace(fresh, common=settings), asked.responses)
    _print(cases, asked)


async def _publish(environment: Environment, asked: argparse.Namespace) -> None:
    """Answers of 400 days by 10 people an account, all recorded now."""
    dice, now = random.Random(7), datetime.now(UTC)
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    for start in range(0, asked.responses, CHUNK):
        records = [
            OutRecord.of(
                RESPONSES,
                recorded(
                    str(uuid7()),
                    f"account-{dice.randrange(asked.accounts)}",
                    stakeholder_id=f"person-{dice.randrange(10)}@example.com",
                    score=dice.randrange(11),
                    answered_at=now - timedelta(seconds=dice.randrange(400 * 86_400)),
                    recorded_at=now,
                    comment="Quick help, thank you" if dice.random() < 0.3 else None,
                ),
            )
            for _ in range(min(CHUNK, asked.responses - start))
        ]
        assert not any(await publisher.send_many(records))
    await publisher.stop()


async def _run(case: Case, environment: Environment, responses: int) -> None:
    database = Database(environment.database_url, SCHEMA, pool_size=4)
    clock, settings = SystemClock(), ScorerSettings()
    erasure = Erasure(clock, Journal(subject_by(environment.common.secret_key.get_secret_value())))
    job = ProjectorJob(database, Projector(clock, settings.policy()), settings.projector_accounts, told=lambda: None)
    table: Mapping[str, BatchHandler] = handlers(ResponseFold(clock, erasure), Facts(clock, erasure))
    if case.name != "scorer":
        table = dict.fromkeys(table, _nothing)
    config = RunnerConfig(SCHEMA, READS, environment.kafka, environment.topic_prefix, owner=case.name)
    runner = Runner(config, database, table, job.wake)
    try:
        async with _background(runner, job):
            began, first = await _until(database, 1)
            ended, last = await _until(database, responses)
            case.rates.append((last - first) / (ended - began))
            if case.name == "scorer":
                await eventually(lambda: _none_marked(database), DEADLINE)
                case.caught_up.append(time.perf_counter() - ended)
    finally:
        await database.close()


async def _nothing(_tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
    return [NEW] * len(records)


@contextlib.asynccontextmanager
async def _background(runner: Runner, job: ProjectorJob) -> AsyncIterator[None]:
    reading, projecting = asyncio.create_task(runner.run()), asyncio.create_task(job.run())
    try:
        yield
    finally:
        await runner.stop()
        await reading
        projecting.cancel()


async def _until(database: Database, records: int) -> tuple[float, int]:
    """When so many records had been read, and how many had."""

    async def enough() -> int:
        read = await _number(database, "select coalesce(sum(read_count), 0) from cursors")
        return read if read >= records else 0

    read = await eventually(enough, DEADLINE)
    return time.perf_counter(), read


async def _none_marked(database: Database) -> bool:
    return await _number(database, "select count(*) from marks") == 0


async def _number(database: Database, statement: str) -> int:
    async with database.read() as tx:
        return int(await tx.scalar(statement))


def _print(cases: Sequence[Case], asked: argparse.Namespace) -> None:
    print(f"{asked.rounds} rounds of {asked.responses:,} responses of {asked.accounts:,} accounts, one process")
    raw = cases[0]
    for case in cases:
        ratios = [own / base for own, base in zip(case.rates, raw.rates, strict=True)]
        spread = f"({min(case.rates):,.0f}-{max(case.rates):,.0f})"
        print(
            f"{case.name:<20} {statistics.median(case.rates):>10,.0f} responses/s {spread:>18}"
            f"  {statistics.median(ratios):.2f} of decoding alone"
        )
        if case.caught_up:
            print(f"{'':<20} figures caught up {statistics.median(case.caught_up):.1f} s after the last response")
