"""How fast the page for respondents comes, beside a plain page of Starlette of the same size, and whether what is
answered on it is told as fast as it comes.

`make bench ARGS="pages --rounds 2"`. Kafka, PostgreSQL, the collector and outreach are real processes. Requests are
sent at a steady rate, whatever the answers take, so that a stall shows in all that wait behind it: in each round
`--per-second` plain pages for `--seconds`, then as many pages, each of another ask, then as many forms, each the first
of its ask. Times are from when a request was to be sent to the last byte of its answer. While forms come it is looked
how many calls of the collector wait, and how long after the last form the last of them was made.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import psutil

from services.cli.embedded.process import free_port
from services.outreach.domain.tokens import Purpose, Tokens
from shared.clock import SystemClock
from shared.kafka.connection import KafkaConnection
from tests.support.collector import collecting
from tests.support.environment import Environment, fresh_environment
from tests.support.http import api_key
from tests.support.polling import eventually
from tests.support.processes import SOURCES, embedded_kafka, embedded_postgres, end, start, tellback
from tests.support.raw_calls import wired
from tests.support.respondents import put_ask, put_survey, relationship, schema
from tests.support.strange import Call

READY_SECONDS = 60.0
TOLD_SECONDS = 600.0
CONNECTIONS = 64
FORM: Final = b"score=9&step=score&lang=en"
FORM_HEADERS: Final = ((b"content-type", b"application/x-www-form-urlencoded"),)
PLAIN, PAGE, FORMS = "plain page of Starlette", "page", "first form"


@dataclass
class Server:
    """A program that serves, with the log of how long its answers took in milliseconds, by kind of request."""

    url: str
    process: psutil.Process
    times: dict[str, list[float]] = field(default_factory=dict)
    seconds_of_work: dict[str, float] = field(default_factory=dict)

    async def take(self, kind: str, per_second: int, calls: Sequence[Call]) -> None:
        """Send requests at a steady rate."""
        before = _work_of(self.process)
        self.times.setdefault(kind, []).extend(await _paced(self.url, per_second, calls))
        work = _work_of(self.process) - before
        self.seconds_of_work[kind] = self.seconds_of_work.get(kind, 0.0) + work


@dataclass
class Queue:
    """How many calls waited at most, and the seconds until none did after the last form, a round."""

    most: list[int] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    """Start, ask, print."""
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--per-second", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=10, help="of each kind of request in a round")
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args(arguments)
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_run(kafka, postgres, asked))
    return 0


async def _run(kafka: KafkaConnection, postgres: str, asked: argparse.Namespace) -> None:
    a_round = asked.per_second * asked.seconds
    queue = Queue()
    async with fresh_environment(kafka, postgres) as environment:
        with tempfile.TemporaryDirectory() as logs:
            links = await _asks(environment, a_round * asked.rounds)
            async with (
                _outreach(environment, Path(logs)) as outreach,
                _plain(await _size(outreach.url + links[0]), Path(logs)) as plain,
                schema(environment) as connection,
            ):
                for number in range(asked.rounds):
                    paths = [link.encode() for link in links[number * a_round : (number + 1) * a_round]]
                    await plain.take(PLAIN, asked.per_second, [Call(PLAIN, "GET", b"/")] * a_round)
                    await outreach.take(PAGE, asked.per_second, [Call(PAGE, "GET", path) for path in paths])
                    watching = asyncio.create_task(_watch(connection, queue))
                    await outreach.take(
                        FORMS, asked.per_second, [Call(FORMS, "POST", path, FORM_HEADERS, FORM) for path in paths]
                    )
                    watching.cancel()
                    await asyncio.gather(watching, return_exceptions=True)
                    queue.rest.append(await _told(connection))
    print(f"{a_round * asked.rounds:,} requests of each kind, {asked.per_second} a second; milliseconds")
    for server in (plain, outreach):
        for kind, times in server.times.items():
            quantiles = statistics.quantiles(times, n=100)
            work = 1000 * server.seconds_of_work[kind] / len(times)
            print(
                f"{kind:24} p50 {quantiles[49]:7.1f}  p99 {quantiles[98]:8.1f}  max {max(times):8.1f}"
                f"  of the processor {work:5.2f}"
            )
    rest = ", ".join(f"{seconds:.1f}" for seconds in queue.rest)
    print(f"calls waiting at most {max(queue.most):,}; the last one made {rest} s after the last form")


async def _asks(environment: Environment, count: int) -> list[str]:
    """The paths of the pages of so many asks."""
    tokens = Tokens([environment.common.secret_key.get_secret_value()])
    now = SystemClock().now()
    links: list[str] = []
    async with schema(environment) as connection, connection.transaction():
        await put_survey(connection, now, relationship())
        for number in range(count):
            ask_id = await put_ask(connection, now, account_id=f"account{number % 1000}", stakeholder_id=f"p{number}")
            links.append(f"/s/{tokens.made(Purpose.ASK, ask_id.bytes)}")
    return links


@asynccontextmanager
async def _outreach(environment: Environment, logs: Path) -> AsyncIterator[Server]:
    """Outreach, with a collector that takes what it tells."""
    async with collecting(environment, logs, free_port()) as collector:
        variables = environment.variables() | {
            "TELLBACK_OUTREACH_COLLECTOR_URL": collector.url,
            "TELLBACK_OUTREACH_API_KEY": await api_key(environment, ("ingest", "read", "act")),
        }
        argv = tellback("serve", "outreach", "--port", str(free_port()), "--pause", "0")
        async with _serving(argv, logs / "outreach.log", variables) as server:
            yield server


@asynccontextmanager
async def _plain(size: int, logs: Path) -> AsyncIterator[Server]:
    """One page of Starlette of this many bytes."""
    argv = (sys.executable, "-P", "-m", "bench.plain_pages", str(free_port()), str(size))
    async with _serving(argv, logs / "plain.log", SOURCES) as server:
        yield server


@asynccontextmanager
async def _serving(argv: Sequence[str], log: Path, variables: dict[str, str]) -> AsyncIterator[Server]:
    """A program that serves at the port in its arguments."""
    port = next(argument for argument in argv if argument.isdecimal())
    child = start(argv, log, variables)

    async def answers() -> bool:
        if child.poll() is not None:
            raise RuntimeError(f"it ended: {log}")
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"http://127.0.0.1:{port}/")).status_code < 500
        except httpx.TransportError:
            return False

    try:
        await eventually(answers, READY_SECONDS)
        yield Server(f"http://127.0.0.1:{port}", psutil.Process(child.pid))
    finally:
        end(child)


async def _size(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return len((await client.get(url)).content)


async def _paced(url: str, per_second: int, calls: Sequence[Call]) -> list[float]:
    """Milliseconds of each request, sent at a steady rate over kept connections."""
    times: list[float] = []
    began = time.perf_counter() + 0.1
    async with wired(url, {}, CONNECTIONS) as wires:

        async def those(first: int) -> None:
            for place in range(first, len(calls), CONNECTIONS):
                due = began + place / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                answer = await wires[first].send(calls[place])
                assert answer.status in (200, 303), answer.status
                times.append(1000 * (time.perf_counter() - due))

        await asyncio.gather(*(those(first) for first in range(CONNECTIONS)))
    return times


async def _watch(connection: asyncpg.Connection, queue: Queue) -> None:
    """Look at the queue until cancelled."""
    queue.most.append(0)
    while True:
        queue.most[-1] = max(queue.most[-1], await _waiting(connection))
        await asyncio.sleep(0.25)


async def _told(connection: asyncpg.Connection) -> float:
    """Seconds until nothing waits any more."""
    began = time.perf_counter()

    async def nothing_waits() -> bool:
        return await _waiting(connection) == 0

    await eventually(nothing_waits, TOLD_SECONDS)
    return time.perf_counter() - began


async def _waiting(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("select count(*) from outgoing where state = 'waiting'"))


def _work_of(process: psutil.Process) -> float:
    """Seconds of the processor that a program and those it started have used."""
    seconds = 0.0
    for program in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = program.cpu_times()
            seconds += times.user + times.system
    return seconds
