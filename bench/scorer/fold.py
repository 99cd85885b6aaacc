"""How fast the scorer folds responses, beside consuming and decoding alone, a fold into dicts, and other stream
processors; and how long the figures then take to catch up.

`make bench ARGS="scorer --responses 200000 --rounds 3"`. Every case of a round reads the same topic, ours each into a
database of its own; ratios are taken within a round, since the machine's speed drifts between rounds. A rate is taken
from the first tenth of the records to the last one, so that start and assignment stay out of it.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bench.scorer import load
from bench.scorer.cases import Case, ours
from bench.scorer.peers import Peer, peers
from services.scorer import SCHEMA
from shared.db.engine import Database
from shared.kafka.connection import KafkaConnection
from tests.support.environment import Environment, fresh_environment
from tests.support.processes import embedded_kafka, embedded_postgres, end, start

T = TypeVar("T")
PARTITIONS = 6
DEADLINE = 3_600.0
LOOK_SECONDS = 0.1
"""How often it is looked whether a run is through: each look takes from the machine what it measures."""
RATIOS = (
    ("scorer, 1 process", "decode alone"),
    ("scorer, 1 process", "dict fold"),
    ("scorer, 2 processes", "scorer, 1 process"),
    ("scorer, 1 process", "Quix Streams, exactly-once"),
    ("scorer, 2 processes", "Kafka Streams, exactly_once_v2, 2 threads"),
)


def main(arguments: Sequence[str]) -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="bench scorer", description=__doc__)
    parser.add_argument("--responses", type=int, default=200_000)
    parser.add_argument("--peer-responses", type=int, default=100_000, help="peers get as many, since they are slower")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="run cases whose name holds this")
    parser.add_argument("--venv", type=Path, help="an environment with quixstreams; made for the run when left out")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tellback-bench-") as folder, embedded_kafka() as kafka:
        others = [peer for peer in peers(kafka, Path(folder), asked.venv) if asked.only in peer.name]
        with embedded_postgres() as postgres:
            asyncio.run(_measure(asked, kafka, postgres, others, Path(folder)))
    return 0


async def _measure(
    asked: argparse.Namespace, kafka: KafkaConnection, postgres: str, others: Sequence[Peer], folder: Path
) -> None:
    cases = [case for case in ours() if asked.only in case.name]
    found = {peer.name: Case(peer.name) for peer in others}
    async with fresh_environment(kafka, postgres, partitions=PARTITIONS) as source:
        await load.publish(source, asked.responses, asked.accounts)
        for _ in range(asked.rounds):
            for case in cases:
                async with fresh_environment(kafka, postgres, topics=False) as fresh:
                    # The topics of the source, a database of its own: so every run reads the same records.
                    settings = fresh.common.model_copy(update={"topic_prefix": source.topic_prefix})
                    await _run(case, replace(fresh, common=settings), asked.responses, folder)
            for peer in others:
                topic, records = f"{source.topic_prefix}responses", min(asked.responses, asked.peer_responses)
                found[peer.name].rates.append(await asyncio.to_thread(peer.run, topic, records))
    _print([*cases, *found.values()], asked)


async def _run(case: Case, environment: Environment, responses: int, folder: Path) -> None:
    database = Database(environment.database_url, SCHEMA, pool_size=1)
    with ExitStack() as children:
        for number, command in enumerate(case.commands()):
            child = start(command, folder / f"{case.name}-{number}.log", environment.variables())
            children.callback(end, child)
        began, first = await _until(database, responses // 10)
        ended, last = await _until(database, responses)
        case.rates.append((last - first) / (ended - began))
        if case.whole:
            await _at_last(lambda: _caught_up(database))
            case.caught_up.append(time.perf_counter() - ended)
            print(f"  {case.name}: {case.rates[-1]:,.0f}/s, caught up in {case.caught_up[-1]:.1f} s", flush=True)
    await database.close()


async def _until(database: Database, records: int) -> tuple[float, int]:
    """When so many records had been read, and how many had."""

    async def enough() -> int:
        read = await _number(database, "select coalesce(sum(read_count), 0) from cursors")
        return read if read >= records else 0

    read = await _at_last(enough)
    return time.perf_counter(), read


async def _at_last(probe: Callable[[], Awaitable[T]]) -> T:
    """What the probe gives once it is true. Raises `TimeoutError` past an hour."""
    deadline = time.monotonic() + DEADLINE
    found = await probe()
    while not found:
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(LOOK_SECONDS)
        found = await probe()
    return found


async def _caught_up(database: Database) -> bool:
    """Whether every account is projected and every event published."""
    waiting = (
        "select cast(exists (select from dirty_accounts)"
        " or exists (select from outbox where published_at is null) as int)"
    )
    return await _number(database, waiting) == 0


async def _number(database: Database, statement: str) -> int:
    async with database.read() as tx:
        return int(await tx.scalar(statement))


def _print(cases: Sequence[Case], asked: argparse.Namespace) -> None:
    print(f"{asked.rounds} rounds of {asked.responses:,} responses of {asked.accounts:,} accounts, 6 partitions")
    rates = {case.name: case.rates for case in cases}
    for case in cases:
        print(f"{case.name:<44}{_spread(case.rates, ',.0f')} responses/s")
        if case.caught_up:
            print(f"{'':<44}{_spread(case.caught_up, '.1f')} s until figures and events had caught up")
    for fold, other in RATIOS:
        if fold in rates and other in rates:
            ratios = [own / base for own, base in zip(rates[fold], rates[other], strict=True)]
            print(f"{fold} to {other}: {_spread(ratios, '.2f')}")


def _spread(values: Sequence[float], form: str) -> str:
    return f"{statistics.median(values):>10{form}} ({min(values):{form}}-{max(values):{form}})"
