"""How much disk answers take: bytes a table and a topic, after a part of a year of 20 answers a second.

`make bench ARGS="growth"`. Two embedded installations, one after the other, take a part of the year's answers each
(`--parts 2000 500`: a 2000th, then a 500th), whose days are spread over the year while they come as fast as they are
taken. What a further answer adds is the difference of the two, so what is there from the start does not count. Topics
and what tables keep for a time are told a record: with their retention they are bytes a day, not a year. Follow-ups
open on answers of the last month alone, so what they take is told for each of them.
`--pace` limits the answers a second: at full speed figures of an account are told once for several answers of it.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench.up import Up, up
from services.cli.folder import DataFolder
from tests.support.http import bearer

A_SECOND = 20
YEAR = timedelta(days=365)
PEOPLE, ANSWERS_AN_ACCOUNT, BATCH = 10, 100, 100
SMALLEST = 1.0
"""Bytes a response below which a row is not printed."""
QUIET_SECONDS, END_SECONDS = 10.0, 7_200.0
_SIZES = """
    select n.nspname || '.' || coalesce(parent.relname, c.relname) as name, sum(pg_total_relation_size(c.oid)) as bytes
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
    where c.relkind = 'r' and n.nspname = any($1) group by 1
"""
_FOLLOW_UPS = ("alerting.task", "topic follow-ups")
"""How the names begin of what is kept of follow-ups."""
_SCHEMAS = ("collector", "scorer", "alerting", "benchmark", "outreach")
_PLUMBING = """
    select (select coalesce(sum(read_count), 0) from cursors) as read,
        (select count(*) from outbox where published_at is null) as waiting
"""
_STORED = """
    select (select coalesce(sum(new_count), 0) from scorer.cursors) as stored,
        (select count(*) from scorer.dirty_accounts) as dirty
"""


def main(arguments: Sequence[str]) -> int:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="bench growth", description=__doc__)
    parser.add_argument("--parts", type=int, nargs=2, default=(2_000, 500), metavar="N", help="a year's Nth part")
    parser.add_argument("--pace", type=float, default=0.0, help="most answers a second; 0: as fast as they are taken")
    asked = parser.parse_args(arguments)
    a_year = int(A_SECOND * YEAR.total_seconds())
    numbers = sorted(a_year // part for part in asked.parts)
    found: list[Filled] = []
    with tempfile.TemporaryDirectory(prefix="tellback-bench-") as folder:
        for number in numbers:
            found.append(_filled(Path(folder) / str(number), number, asked.pace))
            print(f"{number:>10,} answers: {found[-1].sizes.total() / 1e6:,.1f} MB", flush=True)
    _print(*found)
    return 0


@dataclass(frozen=True)
class Filled:
    """An installation that has taken so many answers: the bytes of each table and topic, and how many follow-ups."""

    answers: int
    sizes: Counter[str]
    follow_ups: int


def _filled(data: Path, answers: int, pace: float) -> Filled:
    """Start an installation, let it take so many answers, measure and end it."""
    with up(data) as running:
        return asyncio.run(_measured(DataFolder(data), running, answers, pace))


async def _measured(folder: DataFolder, running: Up, answers: int, pace: float) -> Filled:
    key = folder.first_key.read_text().strip()
    collector = f"http://127.0.0.1:{running.port_base + 1}"
    async with httpx.AsyncClient(base_url=collector, headers=bearer(key), timeout=60, trust_env=False) as client:
        began = time.monotonic()
        for sent, batch in _batches(answers):
            (await client.post("/v1/responses/batch", json={"responses": batch})).raise_for_status()
            if pace:
                await asyncio.sleep(max(0.0, began + sent / pace - time.monotonic()))
    connection = await asyncpg.connect(folder.variables()["TELLBACK_DATABASE_URL"].replace("+asyncpg", ""))
    try:
        await _until_settled(connection, answers, running)
        await connection.execute("vacuum analyze")
        follow_ups = await connection.fetchval("select count(*) from alerting.tasks")
        sizes = Counter({row["name"]: int(row["bytes"]) for row in await connection.fetch(_SIZES, list(_SCHEMAS))})
    finally:
        await connection.close()
    for log in (folder.kafka / "log").glob("*/*.log"):
        topic = log.parent.name.rpartition("-")[0]
        if not topic.startswith("__"):
            sizes[f"topic {topic}"] += log.stat().st_size
    return Filled(answers, sizes, follow_ups)


async def _until_settled(connection: Any, answers: int, running: Up) -> None:
    """Wait until every answer is stored and counted, and no service has read or told anything for some seconds."""
    last, since, deadline = -1, time.monotonic(), time.monotonic() + END_SECONDS
    stored = read = waiting = dirty = 0
    while time.monotonic() < deadline and running.process.poll() is None:
        stored, dirty = await connection.fetchrow(_STORED)
        read, waiting = await _plumbing(connection)
        if read != last or waiting or dirty or stored < answers:
            last, since = read, time.monotonic()
        elif time.monotonic() - since > QUIET_SECONDS:
            return
        await asyncio.sleep(1)
    raise TimeoutError(f"not settled: {stored} of {answers} stored, {dirty} accounts dirty, {waiting} events wait")


async def _plumbing(connection: Any) -> tuple[int, int]:
    """How many records all services have read, and how many events wait in their outboxes."""
    read = waiting = 0
    for schema in _SCHEMAS:
        await connection.execute("select set_config('search_path', $1, false)", schema)
        row = await connection.fetchrow(_PLUMBING)
        read += row["read"]
        waiting += row["waiting"]
    return read, waiting


def _batches(answers: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The answers of a year that ends now, the oldest first, in batches; with how many there are up to then."""
    dice = random.Random(answers)
    accounts = max(1, answers // ANSWERS_AN_ACCOUNT)
    began = datetime.now(UTC).replace(microsecond=0) - YEAR
    for first in range(0, answers, BATCH):
        batch = []
        for number in range(first, min(first + BATCH, answers)):
            account = dice.randrange(accounts)
            answer = {
                "account_id": f"client{account}",
                "email": f"person{dice.randrange(PEOPLE)}@client{account}.example",
                "survey_type": "nps",
                "score": dice.choice((2, 6, 7, 8, 8, 9, 9, 9, 10, 10)),
                "answered_at": (began + YEAR * (number / answers)).isoformat(),
            }
            if number % 4 == 0:
                answer["comment"] = f"Support answers quickly and knows our set-up ({number})."
            batch.append(answer)
        yield first + len(batch), batch


def _print(small: Filled, large: Filled) -> None:
    more = large.answers - small.answers
    added = Counter(large.sizes)
    added.subtract(small.sizes)
    print(f"\n{'':<42}{small.answers:>14,}{large.answers:>14,}{'bytes an answer':>18}")
    for name, number in added.most_common():
        if number / more >= SMALLEST:
            print(f"{name:<42}{small.sizes[name]:>14,}{large.sizes[name]:>14,}{number / more:>18,.0f}")
    print(f"{'all':<42}{small.sizes.total():>14,}{large.sizes.total():>14,}{added.total() / more:>18,.0f}")
    opened = large.follow_ups - small.follow_ups
    bytes_of_them = sum(number for name, number in added.items() if name.startswith(_FOLLOW_UPS))
    print(
        f"\n{large.follow_ups:,} follow-ups; each more takes {bytes_of_them / max(1, opened):,.0f} bytes of the above"
    )
