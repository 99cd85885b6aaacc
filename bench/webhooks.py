"""How soon a trigger is a webhook, and how many leave a second, beside a bare HTTP client on the same receiver.

`make bench ARGS="webhooks --rounds 3"`. Measures, interleaved round by round:
- latency: from the append of a trigger to score-events until the first byte of its POST is here, at a steady rate; and
  the same from the collector's 202 for an answer, through collector, scorer and alerting;
- saturation: deliveries a second from a full queue, as a ratio to a loop of bare httpx with as many requests in
  flight, and to the same loop with httpcore, which alerting uses;
- a slow neighbour: the latency once more while another endpoint answers in 10 s and has a queue.
The receiver is a process of its own, so that it costs all alike.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpcore
import httpx

from bench.receiver import Watched, receiver_process
from services.alerting.courier.interface import WebhookMessage, enqueue
from services.cli.embedded.process import free_port
from shared.db.engine import Database
from shared.ids import uuid7
from shared.kafka.connection import KafkaConnection
from shared.kafka.producer import Publisher
from shared.topics import SCORE_EVENTS
from tests.integration.alerting.cases import Case
from tests.support.environment import Environment, fresh_environment
from tests.support.events import record_of
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.processes import embedded_kafka, embedded_postgres, end, start, tellback

IN_FLIGHT = 4
BODY = b'{"type":"follow_up.opened","timestamp":"2026-06-08T10:00:00Z","data":{"filler":"' + b"x" * 1_500 + b'"}}'


@dataclass(slots=True)
class Figures:
    """What was measured, by case, a figure a round."""

    latencies: dict[str, list[list[float]]] = field(default_factory=dict)
    rates: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bench:
    """Alerting as a real process, its API, its queue, and the receiver."""

    environment: Environment
    api: httpx.AsyncClient
    collector: httpx.AsyncClient
    database: Database
    publisher: Publisher
    receiver: Watched
    asked: argparse.Namespace


def main(argv: list[str]) -> int:
    """Run the benchmark and print what it found."""
    options = argparse.ArgumentParser(prog="bench webhooks", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=8, help="of steady load in a round")
    options.add_argument("--rate", type=int, default=200, help="triggers a second")
    options.add_argument("--queue", type=int, default=3000, help="deliveries of a round of saturation")
    asked = options.parse_args(argv)
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_run(kafka, postgres, asked))
    return 0


async def _run(kafka: KafkaConnection, postgres: str, asked: argparse.Namespace) -> None:
    figures = Figures()
    async with fresh_environment(kafka, postgres) as environment, _bench(environment, asked) as bench:
        await _latency(bench, 2.0, slow=False)  # warm up
        await _chain(bench, 2.0)
        await _saturated(bench, 500)
        for _ in range(asked.rounds):
            # Beside each other, so that what the cases before have left to do weighs on both alike.
            for name, slow in (("alone", False), ("beside one that takes 10 s", True)):
                figures.latencies.setdefault(name, []).append(await _latency(bench, asked.seconds, slow=slow))
            for name, measure in (("httpx", _bare_httpx), ("httpcore", _bare_httpcore), ("alerting", _saturated)):
                figures.rates.setdefault(name, []).append(await measure(bench, asked.queue))
            figures.latencies.setdefault("from the collector's 202", []).append(await _chain(bench, asked.seconds))
    _print(figures, asked)


@contextlib.asynccontextmanager
async def _bench(environment: Environment, asked: argparse.Namespace) -> AsyncIterator[Bench]:
    async with contextlib.AsyncExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        receiver = await stack.enter_async_context(receiver_process(logs))
        variables = environment.variables() | {"TELLBACK_ALERTING_ALLOW_NETWORKS": "127.0.0.1/32"}
        headers = bearer(await api_key(environment, ["ingest", "read", "manage"]))
        clients = {}
        for service in ("collector", "scorer", "alerting"):
            port = free_port()
            argv = tellback("serve", service, "--port", str(port), "--pause", "0")
            stack.callback(end, start(argv, logs / f"{service}.log", variables))
            url = f"http://127.0.0.1:{port}"
            client = httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False, verify=False)  # noqa: S501
            clients[service] = await stack.enter_async_context(client)
        for client in clients.values():
            await eventually(partial(_ready, client), 60)
        database = Database(environment.database_url, "alerting", pool_size=2)
        stack.push_async_callback(database.close)
        publisher = Publisher(environment.kafka, environment.topic_prefix)
        await publisher.start()
        stack.push_async_callback(publisher.stop)
        yield Bench(environment, clients["alerting"], clients["collector"], database, publisher, receiver, asked)


async def _latency(bench: Bench, seconds: float, *, slow: bool) -> list[float]:
    """Milliseconds from append to arrival of each trigger of a steady load."""
    async with contextlib.AsyncExitStack() as stack:
        if slow:
            await stack.enter_async_context(_slow_neighbour(bench))
        await stack.enter_async_context(_endpoint(bench, "/latency", event_types=["follow_up.opened"]))
        prefix = uuid7().hex
        appended = await _appended(bench, prefix, round(seconds * bench.asked.rate))
        return await _taken(bench, "/latency", appended)


async def _chain(bench: Bench, seconds: float) -> list[float]:
    """Milliseconds from the 202 for an answer to the arrival of its webhook, at the same rate."""
    async with _endpoint(bench, "/chain", event_types=["follow_up.opened"]):
        prefix, accepted = uuid7().hex, {}

        async def answer(account: str) -> None:
            body = {"account_id": account, "stakeholder_id": "jane", "survey_type": "nps", "score": 2}
            (await bench.collector.post("/v1/responses", json=body)).raise_for_status()
            accepted[account] = time.monotonic()

        began, posts = time.monotonic(), []
        for number in range(round(seconds * bench.asked.rate)):
            await _until(began + number / bench.asked.rate)
            posts.append(asyncio.create_task(answer(f"{prefix}-{number}")))
        await asyncio.gather(*posts)
        return await _taken(bench, "/chain", accepted)


async def _taken(bench: Bench, path: str, begun: Mapping[str, float]) -> list[float]:
    """Milliseconds from the moment of each account until its POST was there."""
    arrived: dict[str, float] = {}

    async def all_here() -> bool:
        for account, at in await bench.receiver.arrivals(path):
            arrived.setdefault(account, at)
        return begun.keys() <= arrived.keys()

    await eventually(all_here, 60)
    return [(arrived[account] - at) * 1000 for account, at in begun.items()]


async def _appended(bench: Bench, prefix: str, count: int) -> dict[str, float]:
    """Append triggers at the rate; the moment before each append, by account. Monotonic clocks are of the machine."""
    appended: dict[str, float] = {}
    began = time.monotonic()
    sends = []
    for number in range(count):
        await _until(began + number / bench.asked.rate)
        case = Case(f"{prefix}-{number}")
        record = record_of(case.answered("r", 2, datetime.now(UTC)), SCORE_EVENTS)
        appended[case.account_id] = time.monotonic()
        sends.append(asyncio.create_task(bench.publisher.send(record)))
    await asyncio.gather(*sends)
    return appended


async def _saturated(bench: Bench, count: int) -> float:
    """Deliveries a second of a queue that is there at once, from the first arrival to the last."""
    account_id = uuid7().hex
    async with _endpoint(bench, "/queue", event_types=["account_score.changed"]):
        async with bench.database.write() as tx:
            for _ in range(0, count, 500):
                await enqueue(tx, *(_message("account_score.changed", account_id) for _ in range(500)))
        times = await _received(bench, "/queue", account_id, count)
    return (len(times) - 1) / (times[-1] - times[0])


async def _received(bench: Bench, path: str, account_id: str, count: int) -> list[float]:
    """When the POSTs about the account arrived; the endpoint also gets scores that answers of the case before moved."""
    times: list[float] = []

    async def all_here() -> bool:
        times.extend(at for account, at in await bench.receiver.arrivals(path) if account == account_id)
        return len(times) >= count

    await eventually(all_here, 180)
    return sorted(times)


async def _bare_httpx(bench: Bench, count: int) -> float:
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as client:
        return await _looped(count, lambda: client.post(f"{bench.receiver.url}/bare", content=BODY))


async def _bare_httpcore(bench: Bench, count: int) -> float:
    async with httpcore.AsyncConnectionPool(max_connections=IN_FLIGHT) as pool:
        headers = [("content-length", str(len(BODY)))]
        url = f"{bench.receiver.url}/bare"
        return await _looped(count, lambda: pool.request("POST", url, headers=headers, content=BODY))


async def _looped(count: int, post: Any) -> float:
    """Requests a second with as many in flight as an endpoint has."""
    left = iter(range(count))

    async def lane() -> None:
        for _ in left:
            await post()

    began = time.monotonic()
    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))
    return count / (time.monotonic() - began)


@contextlib.asynccontextmanager
async def _slow_neighbour(bench: Bench) -> AsyncIterator[None]:
    """An endpoint that answers in 10 s and has five hundred messages waiting."""
    async with _endpoint(bench, "/slow", event_types=["account_score.dropped"]):
        async with bench.database.write() as tx:
            await enqueue(tx, *(_message("account_score.dropped", "acme") for _ in range(500)))
        yield


@contextlib.asynccontextmanager
async def _endpoint(bench: Bench, path: str, **fields: Any) -> AsyncIterator[None]:
    body = {"url": f"{bench.receiver.url}{path}", "max_in_flight": IN_FLIGHT} | fields
    made = (await bench.api.post("/v1/webhook-endpoints", json=body)).raise_for_status().json()
    try:
        yield
    finally:
        await bench.api.delete(f"/v1/webhook-endpoints/{made['id']}")


def _message(kind: str, account_id: str) -> WebhookMessage:
    return WebhookMessage(
        uuid7(),
        kind,
        account_id,
        datetime.now(UTC),
        None,
        {"account": {"account_id": account_id}, "filler": "x" * 1_500},
    )


async def _ready(api: httpx.AsyncClient) -> bool:
    try:
        return (await api.get("/health/ready")).is_success
    except httpx.TransportError:
        return False


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


def _print(figures: Figures, asked: argparse.Namespace) -> None:
    out = sys.stdout.write
    out(f"{asked.rounds} rounds; figures are medians over rounds (least - most)\n")
    out(
        f"\nfrom the append of the trigger, unless said otherwise, to the POST, at {asked.rate}/s for"
        f" {asked.seconds:g} s, ms\n"
    )
    for name, rounds in figures.latencies.items():
        p50, p99 = ([_percentile(each, share) for each in rounds] for share in (50, 99))
        out(f"  {name:<28} p50 {_spread(p50, '.0f')}   p99 {_spread(p99, '.0f')}\n")
    out(f"\ndeliveries a second at saturation, {IN_FLIGHT} in flight, queue of {asked.queue}\n")
    for name, rates in figures.rates.items():
        ratios = [own / base for own, base in zip(rates, figures.rates["httpx"], strict=True)]
        out(f"  {name:<28} {_spread(rates, ',.0f')}   to bare httpx {_spread(ratios, '.2f')}\n")


def _spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} - {max(values):{form}})"


def _percentile(values: list[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]
