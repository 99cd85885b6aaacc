"""How fast the scorer answers with many responses stored, beside the same server answering with nothing to do.

`make bench ARGS="reads"`, with a million: `make bench ARGS="reads --responses 1000000"`. A hundred responses an account
over 400 days, six industries, one client that asks one thing after the other. The questions are interleaved, and each
is asked once before it counts.
"""

import argparse
import asyncio
import math
import random
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from services.cli.embedded.process import free_port
from services.scorer import SCHEMA
from services.scorer.handlers.projection import Projector
from services.scorer.jobs import ProjectorJob
from services.scorer.settings import ScorerSettings
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.ids import uuid7
from tests.support.environment import Environment, fresh_environment
from tests.support.http import api_key, bearer
from tests.support.processes import embedded_kafka, embedded_postgres, end, start, tellback, wait_until

INDUSTRIES = ("facilities_management", "contract_catering", "logistics", "manufacturing", "bpo", "it_services")
PEOPLE = 10
DAYS = 400
QUESTIONS: Mapping[str, tuple[str, dict[str, str]]] = {
    "nothing to do": ("/health/live", {}),
    "account score": ("/v1/accounts/{account}/score", {}),
    "portfolio by industry": ("/v1/portfolio/score", {"group_by": "industry"}),
    "account list by change": ("/v1/accounts", {"sort": "change"}),
    "portfolio by industry, as of a month ago": ("/v1/portfolio/score", {"group_by": "industry", "as_of": "{past}"}),
    "portfolio trend, 12 months": ("/v1/portfolio/trend", {}),
}
"""What is asked, and how. The fifth is counted from the answers; so are eleven of the twelve points of the sixth."""


def main(arguments: Sequence[str]) -> int:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(prog="bench reads", description=__doc__)
    parser.add_argument("--responses", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=200, help="of each kind; of the last two a tenth")
    asked = parser.parse_args(arguments)
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_run(kafka, postgres, asked))
    return 0


async def _run(kafka: str, postgres: str, asked: argparse.Namespace) -> None:
    accounts = [f"account-{number}" for number in range(max(1, asked.responses // 100))]
    async with fresh_environment(kafka, postgres) as environment:
        began = time.perf_counter()
        await _load(environment, accounts, asked.responses)
        loaded = time.perf_counter()
        await _project(environment)
        print(
            f"{asked.responses:,} responses of {len(accounts):,} accounts; loaded in {loaded - began:.0f} s,"
            f" projected in {time.perf_counter() - loaded:.0f} s"
        )
        key = await api_key(environment, ["read"])
        with tempfile.TemporaryDirectory() as logs, _scorer(environment, Path(logs)) as url:
            async with httpx.AsyncClient(base_url=url, headers=bearer(key), timeout=60) as client:
                _print(await _measure(client, accounts, asked.requests))


async def _load(environment: Environment, accounts: Sequence[str], responses: int) -> None:
    """Put answers, accounts and people where the consumer would."""
    chance, now = random.Random(7), datetime.now(UTC)
    connection = await asyncpg.connect(environment.database_url, server_settings={"search_path": SCHEMA})
    try:
        names = ("account_id", "name", "industry", "revenue_amount", "revenue_currency", "record", "recorded_at")
        await connection.copy_records_to_table(
            "accounts",
            columns=[*names, "event_id"],
            records=[
                (one, one.title(), chance.choice(INDUSTRIES), chance.randrange(10**6), "EUR", "{}", now, uuid7())
                for one in accounts
            ],
        )
        columns = ("response_id", "account_id", "stakeholder_id", "survey_type", "score", "answered_at", "recorded_at")
        for first in range(0, responses, 50_000):
            rows = [_response(chance, accounts, now) for _ in range(min(50_000, responses - first))]
            await connection.copy_records_to_table(
                "responses", columns=[*columns, "nps_kind", "updated_at", "quiet"], records=rows
            )
        await connection.execute("insert into marks select account_id, now(), false from accounts")
        await connection.execute("analyze")
    finally:
        await connection.close()


def _response(chance: random.Random, accounts: Sequence[str], now: datetime) -> tuple[Any, ...]:
    at = now - timedelta(seconds=chance.randrange(DAYS * 86_400))
    person = f"person-{chance.randrange(PEOPLE)}"
    score = min(10, max(0, round(chance.gauss(7.5, 2.2))))
    return str(uuid7()), chance.choice(accounts), person, "nps", score, at, at, "relationship", at, True


async def _project(environment: Environment) -> None:
    database = Database(environment.database_url, SCHEMA, pool_size=2)
    try:
        job = ProjectorJob(database, Projector(SystemClock(), ScorerSettings().policy()), 100, lambda: None)
        while await job.project_once():
            pass
    finally:
        await database.close()
    connection = await asyncpg.connect(environment.database_url, server_settings={"search_path": SCHEMA})
    await connection.execute("vacuum analyze")
    await connection.close()


@contextmanager
def _scorer(environment: Environment, logs: Path) -> Any:
    port, log = free_port(), logs / "scorer.log"
    child = start(tellback("serve", "scorer", "--port", str(port), "--pause", "0"), log, environment.variables())
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _ready(url), child, log)
        yield url
    finally:
        end(child)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


async def _measure(client: httpx.AsyncClient, accounts: Sequence[str], requests: int) -> dict[str, list[float]]:
    """Question → milliseconds of each request."""
    chance, past = random.Random(11), datetime.now(UTC) - timedelta(days=30)
    found: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for number in range(-1, requests):
        for name, (path, parameters) in QUESTIONS.items():
            if number > requests // 10 and name in tuple(QUESTIONS)[-2:]:
                continue
            asked = {key: value.format(past=past.isoformat()) for key, value in parameters.items()}
            began = time.perf_counter()
            answer = await client.get(path.format(account=chance.choice(accounts)), params=asked)
            took = 1000 * (time.perf_counter() - began)
            if answer.status_code != 200:
                found[name].append(float("nan"))
            elif number >= 0:
                found[name].append(took)
    return found


def _print(found: Mapping[str, list[float]]) -> None:
    print(f"\n{'':<42} {'p50 ms':>9} {'p99 ms':>9} {'requests':>9}")
    for name, times in found.items():
        failed = sum(math.isnan(took) for took in times)
        good = sorted(took for took in times if not math.isnan(took))
        if not good:
            print(f"{name:<42} {'-':>9} {'-':>9} {0:>9}  {failed} failed")
            continue
        p99 = good[min(len(good) - 1, int(0.99 * len(good)))]
        print(
            f"{name:<42} {statistics.median(good):>9.1f} {p99:>9.1f} {len(good):>9}"
            + (f"  {failed} failed" if failed else "")
        )
