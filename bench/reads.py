"""How fast the scorer answers with many responses stored, beside the same stack with nothing to work out.

`make bench ARGS="reads"`, with a million: `make bench ARGS="reads --responses 1000000"`. A hundred responses an account
(bench/stored.py), one client that asks one thing after the other. In each round every question is asked in turn, idle
once nothing waits to be projected, and while 500 answers a second come in. `--keep` prints the database's URL and
waits; `--stored URL` measures on it; `--first` asks only what there are targets for.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import asyncpg
import httpx

from bench import stored
from services.cli.embedded.process import free_port
from services.scorer import SCHEMA
from shared.ids import uuid7
from shared.kafka.connection import KafkaConnection
from shared.kafka.producer import Publisher
from shared.records import Record
from tests.support.environment import Environment, fresh_environment
from tests.support.events import record_of, recorded
from tests.support.http import api_key, bearer
from tests.support.processes import embedded_kafka, embedded_postgres, end, start, wait_until
from tests.support.scorer import answering

ROUNDS = 3
SECONDS = 1.0
"""A question is asked for so long in a round, at least three times."""
RATE, BATCH = 500, 25
RAW = {"select 1": "/raw/one", "a row counted before": "/raw/row?account={account}"}
FIRST = {
    "account score": "/v1/accounts/{account}/score",
    "portfolio by industry": "/v1/portfolio/score?group_by=industry",
    "accounts by change": "/v1/accounts?sort=change",
}
FURTHER = {
    "portfolio": "/v1/portfolio/score",
    "portfolio by class": "/v1/portfolio/score?group_by=class",
    "account trend": "/v1/accounts/{account}/trend",
    "explain": "/v1/explain?account_id={account}",
    "accounts by name": "/v1/accounts",
    "people": "/v1/stakeholders",
    "the detractors": "/v1/stakeholders?category=detractor&sort=score",
    "responses": "/v1/responses",
    "search": "/v1/responses?q=late",
    "changes": "/v1/changes",
    "funnel": "/v1/portfolio/funnel",
    "coverage": "/v1/portfolio/coverage",
    "revenue": "/v1/portfolio/revenue",
    "drivers": "/v1/drivers",
    "metrics.json": "/v1/metrics.json",
    "by industry a month ago": "/v1/portfolio/score?group_by=industry&as_of={past}",
    "by type of stakeholder": "/v1/portfolio/score?group_by=stakeholder_type",
    "portfolio trend, 13 months": "/v1/portfolio/trend?points=13",
}
LIVE = "not withdrawn and not erased and not test and survey_type = 'nps'"
CATEGORIES = ("score >= 9", "score between 7 and 8", "score < 7")
_COUNTS = ", ".join(
    f"count(*) filter (where answered_at > ${number} and {category}{method})"
    for number in range(2, 6)
    for method in ("", " and place = 1")
    for category in CATEGORIES
)
_FOUR_WINDOWS = f"""
    select {_COUNTS} from (
        select score, answered_at, row_number() over (
            partition by stakeholder_id order by answered_at desc, response_id collate "C" desc) as place
        from responses where account_id = $1 and {LIVE}
    ) r
"""  # noqa: S608 (names of this module)
STATEMENTS = {
    "select 1": "select 1",
    "a row counted before": "select respondents, latest_9 from account_counts_now"
    " where score_window = '90d' and account_id = $1",
    "four windows, both methods": _FOUR_WINDOWS,
}
"""What PostgreSQL itself takes; the last is all of an account in one pass over its answers."""
Times = dict[str, list[list[float]]]
"""Name → milliseconds of each round."""


def main(arguments: Sequence[str]) -> int:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(prog="bench reads", description=__doc__)
    parser.add_argument("--responses", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--stored", metavar="URL", help="a database that an earlier run has loaded and kept")
    parser.add_argument("--keep", action="store_true", help="load, print the URL, and wait until interrupted")
    parser.add_argument("--first", action="store_true", help="ask only what there are targets for")
    asked = parser.parse_args(arguments)
    with contextlib.ExitStack() as parts:
        kafka = parts.enter_context(embedded_kafka())
        postgres = asked.stored or parts.enter_context(embedded_postgres())
        asyncio.run(_run(kafka, postgres, asked))
    return 0


async def _run(kafka: KafkaConnection, postgres: str, asked: argparse.Namespace) -> None:
    async with fresh_environment(kafka, postgres) as fresh:
        known = {"database_url": asked.stored} if asked.stored else {}
        environment = Environment(fresh.common.model_copy(update=known))
        accounts = stored.account_ids(asked.responses)
        if not asked.stored:
            began = time.perf_counter()
            await stored.load(environment.database_url, accounts, asked.responses)
            loaded = time.perf_counter()
            took = {"loaded": loaded - began} | await stored.project(environment.database_url)
            print(", ".join(f"{what} in {seconds:.0f} s" for what, seconds in took.items()))
        if asked.keep:
            print(environment.database_url, flush=True)
            await asyncio.Event().wait()
        print(f"{asked.responses:,} responses of {len(accounts):,} accounts, {asked.rounds} rounds")
        await _in_database(environment, accounts, asked.rounds)
        await _over_http(environment, accounts, asked.rounds, FIRST if asked.first else FIRST | FURTHER)


async def _in_database(environment: Environment, accounts: Sequence[str], rounds: int) -> None:
    connection = await asyncpg.connect(environment.database_url, server_settings={"search_path": SCHEMA, "jit": "off"})
    chance, now = random.Random(11), datetime.now(UTC)
    borders = [now - timedelta(days=days) for days in (30, 90, 365, 36_500)]
    found: Times = {name: [] for name in STATEMENTS}
    try:
        prepared = {name: await connection.prepare(statement) for name, statement in STATEMENTS.items()}
        for _ in range(rounds):
            for name, statement in prepared.items():
                given = len(statement.get_parameters())

                async def ask(statement: "asyncpg.prepared_stmt.PreparedStatement" = statement, n: int = given) -> None:
                    await statement.fetch(*[chance.choice(accounts), *borders][:n])

                found[name].append(await _timed(ask, 0.7))
    finally:
        await connection.close()
    _print("in PostgreSQL, one connection", found, base="a row counted before")


async def _over_http(
    environment: Environment, accounts: Sequence[str], rounds: int, questions: Mapping[str, str]
) -> None:
    key = await api_key(environment, ["read"])
    chance, past = random.Random(12), (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    idle: Times = {name: [] for name in (*RAW, *questions)}
    loaded: Times = {name: [] for name in (*RAW, *FIRST)}
    with (
        tempfile.TemporaryDirectory() as logs,
        answering(environment, Path(logs)) as url,
        _raw(environment, Path(logs)) as raw,
    ):
        async with httpx.AsyncClient(headers=bearer(key), timeout=60) as client:

            async def ask(name: str) -> list[float]:
                base, path = (raw, RAW[name]) if name in RAW else (url, questions[name])

                async def once() -> None:
                    answer = await client.get(base + path.format(account=chance.choice(accounts), past=past))
                    if answer.status_code != 200:
                        raise RuntimeError(f"{name}: {answer.status_code}")

                return await _timed(once, SECONDS)

            for _ in range(rounds):
                await _settled(environment)
                for name, times in idle.items():
                    times.append(await ask(name))
                async with _writing(environment, accounts):
                    for name, times in loaded.items():
                        times.append(await ask(name))
    _print("over HTTP", idle, base="select 1")
    _print(f"over HTTP, {RATE} answers a second coming in", loaded, base="select 1")
    print(
        "\np99 under load to idle: "
        + ", ".join(f"{name} {_p99(loaded[name]) / _p99(idle[name]):.1f}" for name in FIRST)
    )


async def _settled(environment: Environment) -> None:
    """Wait until nothing waits to be projected, or is about to be."""
    connection = await asyncpg.connect(environment.database_url, server_settings={"search_path": SCHEMA})
    try:
        quiet = 0
        while quiet < 3:
            quiet = 0 if await connection.fetchval("select count(*) > 10 from dirty_accounts") else quiet + 1
            await asyncio.sleep(0.5)
    finally:
        await connection.close()


async def _timed(ask: Callable[[], Awaitable[None]], seconds: float) -> list[float]:
    """Milliseconds of each, once asked before it counts."""
    with contextlib.suppress(RuntimeError):
        await ask()
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < until:
        began = time.perf_counter()
        try:
            await ask()
        except RuntimeError:
            times.append(float("inf"))
            continue
        times.append(1000 * (time.perf_counter() - began))
    return times


@contextlib.asynccontextmanager
async def _writing(environment: Environment, accounts: Sequence[str]) -> AsyncIterator[None]:
    """Answers come in at the rate, until the block ends."""
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()

    async def write() -> None:
        chance, number, began = random.Random(), 0, time.perf_counter()
        while True:
            now = datetime.now(UTC)
            batch = [_answer(chance, chance.choice(accounts), now) for _ in range(BATCH)]
            await publisher.send_many(batch)
            number += BATCH
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await publisher.stop()


@contextlib.contextmanager
def _raw(environment: Environment, logs: Path) -> Iterator[str]:
    port, log = free_port(), logs / "raw.log"
    child = start((sys.executable, "-P", "-m", "bench.raw_reads", str(port)), log, environment.variables())
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), child, log)
        yield url
    finally:
        end(child)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def _answer(chance: random.Random, account_id: str, now: datetime) -> Record:
    person, score = f"person-{chance.randrange(stored.PEOPLE)}", chance.randrange(11)
    said = recorded(str(uuid7()), account_id, stakeholder_id=person, score=score, answered_at=now, recorded_at=now)
    return record_of(said)


def _quantile(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _p99(rounds: Sequence[Sequence[float]]) -> float:
    return median(_quantile(times, 0.99) for times in rounds)


def _print(title: str, found: Times, base: str) -> None:
    """Median of the rounds and their spread, and the ratio of the medians to the baseline's."""
    print(f"\n{title:<44} {'p50 ms':>24} {'ratio':>6} {'p99 ms':>24} {'ratio':>6} {'asked':>6}")
    bases = [median(_quantile(times, share) for times in found[base]) for share in (0.5, 0.99)]
    for name, rounds in found.items():
        line = f"{name:<44}"
        for share, against in zip((0.5, 0.99), bases, strict=True):
            each = [_quantile(times, share) for times in rounds]
            spread = f"{median(each):.2f} ({min(each):.2f}-{max(each):.2f})"
            line += f" {spread:>24} {median(each) / against:>6.1f}"
        print(f"{line} {sum(map(len, rounds)):>6}", flush=True)
