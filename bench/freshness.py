"""How soon an answer counts: from the collector's 202 until the scorer's API has it in the score, at a steady rate.

`make bench ARGS="freshness --rate 500 --rounds 3"`. Real processes. Responses of many accounts are posted in an open
loop over kept connections; each one that is watched has an account of its own, whose score is asked for every few
milliseconds from the 202 on until the answer counts. `hot account` is the same with 95 % of the responses of one
account, the watched ones being of others. Beside them the least that the way takes: the same bytes at the same rate,
produced and consumed through the same broker, from the acknowledgement to the consumer. Rounds are interleaved.
"""

import argparse
import asyncio
import json
import secrets
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.cli.embedded.process import free_port
from shared.kafka.connection import KafkaConnection
from tests.support.environment import Environment, fresh_environment
from tests.support.http import api_key
from tests.support.processes import embedded_kafka, embedded_postgres, end, start, tellback, wait_until

ACCOUNTS, CONNECTIONS, WATCHERS, HOT_SHARE = 1_000, 64, 8, 0.95
WATCHED_A_SECOND, ASK_SECONDS, GIVE_UP_SECONDS = 10.0, 0.005, 20.0
RAW, EVEN, HOT = "produce and consume", "even load", "hot account"
AIM_SECONDS, AIM_HOT = 1.0, 2.0


class Wire:
    """A kept HTTP connection that costs little."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._head = f"Host: bench\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of one request."""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length: ")[2].partition(b"\r")[0])
        return int(answer[9:12]), await self._reader.readexactly(length)


@dataclass
class Round:
    """What one round brought: seconds until each watched answer counted, and how many were posted in how long. `hot`
    is the share of one account in what is not watched."""

    name: str = ""
    hot: float = 0.0
    began: float = 0.0
    accepted: "asyncio.Queue[tuple[str, float]]" = field(default_factory=asyncio.Queue)
    times: list[float] = field(default_factory=list)
    posted: int = 0
    seconds: float = 0.0
    failed: int = 0
    lost: int = 0
    cpu: dict[str, float] = field(default_factory=dict)

    def at(self, percent: int) -> float:
        """A percentile in milliseconds."""
        ordered = sorted(self.times)
        return 1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def main(arguments: Sequence[str]) -> int:
    """Start, measure, print."""
    parser = argparse.ArgumentParser(prog="bench freshness", description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="responses a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of a case in a round")
    asked = parser.parse_args(arguments)
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_run(kafka, postgres, asked))
    return 0


async def _run(kafka: KafkaConnection, postgres: str, asked: argparse.Namespace) -> None:
    async with fresh_environment(kafka, postgres) as environment:
        key = await api_key(environment, ("ingest", "read"))
        with ExitStack() as stack, tempfile.TemporaryDirectory() as logs:
            services = {}
            for name in ("collector", "scorer"):
                port, log = free_port(), Path(logs) / f"{name}.log"
                argv = tellback("serve", name, "--port", str(port), "--pause", "0")
                child = start(argv, log, environment.variables() | {"TELLBACK_LOG_FORMAT": "json"})
                stack.callback(end, child)
                services[name] = port, child.pid
                await asyncio.to_thread(wait_until, partial(_ready, port), child, log)
            load = Load({name: port for name, (port, _) in services.items()}, key, asked)
            pids = {name: pid for name, (_, pid) in services.items()}
            await load.round("warm-up", 0.0, pids, seconds=4.0)
            found: dict[str, list[Round]] = {RAW: [], EVEN: [], HOT: []}
            for number in range(asked.rounds):
                found[RAW].append(await _raw(environment, asked))
                found[EVEN].append(await load.round(f"even-{number}", 0.0, pids))
                found[HOT].append(await load.round(f"hot-{number}", HOT_SHARE, pids))
        _print(found, asked)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Load:
    """Posts in an open loop and watches some of what it posts."""

    def __init__(self, ports: dict[str, int], key: str, asked: argparse.Namespace) -> None:
        self._ports, self._key, self._rate, self._seconds = ports, key, asked.rate, asked.seconds

    async def round(self, name: str, hot: float, pids: dict[str, int], seconds: float | None = None) -> Round:
        """One round."""
        seconds = seconds or self._seconds
        result = Round(name, hot)
        before = {service: _cpu(pid) for service, pid in pids.items()}
        watchers = [asyncio.create_task(self._watch(result)) for _ in range(WATCHERS)]
        result.began = time.monotonic()
        count = round(self._rate * seconds)
        await asyncio.gather(*(self._post(result, range(first, count, CONNECTIONS)) for first in range(CONNECTIONS)))
        result.seconds = time.monotonic() - result.began
        result.cpu = {service: (_cpu(pid) - before[service]) / result.seconds for service, pid in pids.items()}
        await result.accepted.join()
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        return result

    async def _post(self, result: Round, numbers: range) -> None:
        """These of the responses, each at its time."""
        every = round(self._rate / WATCHED_A_SECOND)
        async with Wire(self._ports["collector"], self._key) as wire:
            for number in numbers:
                await asyncio.sleep(max(0.0, result.began + number / self._rate - time.monotonic()))
                watched = number % every == 0
                account = f"account-{number % ACCOUNTS}"
                if watched:
                    account = f"{result.name}-{number}"
                elif (number % 100) < 100 * result.hot:
                    account = "hot"
                status, _ = await wire.ask("POST", "/v1/responses", _body(f"{result.name}-{number}", account))
                result.posted += 1
                result.failed += status != 202
                if watched and status == 202:
                    result.accepted.put_nowait((account, time.monotonic()))

    async def _watch(self, result: Round) -> None:
        async with Wire(self._ports["scorer"], self._key) as wire:
            while True:
                account, since = await result.accepted.get()
                path = f"/v1/accounts/{account}/score"
                while time.monotonic() < since + GIVE_UP_SECONDS:
                    status, body = await wire.ask("GET", path)
                    if status == 200 and json.loads(body)["response_count"] == 1:
                        result.times.append(time.monotonic() - since)
                        break
                    await asyncio.sleep(ASK_SECONDS)
                else:
                    result.lost += 1
                result.accepted.task_done()


def _body(response_id: str, account: str) -> bytes:
    said = {"response_id": response_id, "account_id": account, "stakeholder_id": f"p-{response_id}"}
    return json.dumps(said | {"survey_type": "nps", "score": len(response_id) % 11, "comment": "x" * 200}).encode()


async def _raw(environment: Environment, asked: argparse.Namespace) -> Round:
    """From the acknowledgement to the consumer, for the same bytes at the same rate; a topic that nobody else reads."""
    result, acknowledged = Round(), dict[int, float]()
    topic = f"{environment.topic_prefix}raw-{secrets.token_hex(4)}"
    admin = AIOKafkaAdminClient(**environment.kafka.options())
    await admin.start()
    await admin.create_topics([NewTopic(topic, environment.common.partitions, 1)])
    await admin.close()
    producer = AIOKafkaProducer(**environment.kafka.options(), acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(topic, **environment.kafka.options(), auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    count = round(asked.rate * asked.seconds)
    seen = asyncio.create_task(_consume(consumer, count))
    began = time.monotonic()

    async def send(number: int) -> None:
        await producer.send_and_wait(topic, _body(f"raw-{number}", "account"), key=str(number).encode())
        acknowledged[number] = time.monotonic()

    sends = []
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / asked.rate - time.monotonic()))
        sends.append(asyncio.create_task(send(number)))
    await asyncio.gather(*sends)
    result.posted, result.seconds = count, time.monotonic() - began
    arrived = await seen
    await consumer.stop()
    await producer.stop()
    result.times = [max(0.0, moment - acknowledged[number]) for number, moment in arrived.items()]
    return result


async def _consume(consumer: AIOKafkaConsumer, count: int) -> dict[int, float]:
    arrived: dict[int, float] = {}
    while len(arrived) < count:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            now = time.monotonic()
            arrived |= {int(record.key): now for record in records if record.key}
    return arrived


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _print(found: dict[str, list[Round]], asked: argparse.Namespace) -> None:
    print(f"{asked.rounds} rounds of {asked.seconds:g} s at {asked.rate} responses a second")
    print(f"{'ms until it counts':<22} {'p50: median (spread)':>24} {'p99: median (spread)':>26} {'a second':>10}  CPU")
    for name, rounds in found.items():
        rate = statistics.median(each_round.posted / each_round.seconds for each_round in rounds)
        cpu = ", ".join(f"{who} {statistics.median(r.cpu[who] for r in rounds):.2f}" for who in rounds[0].cpu)
        columns = f"{_spread(rounds, lambda one: one.at(50)):>24} {_spread(rounds, lambda one: one.at(99)):>26}"
        print(f"{name:<22} {columns} {rate:>10,.0f}  {cpu}")
        if failed := sum(each_round.failed + each_round.lost for each_round in rounds):
            print(f"  {failed} were refused or did not count within {GIVE_UP_SECONDS:g} s")
    worst = statistics.median(each_round.at(99) for each_round in found[EVEN])
    print(f"\np99 {worst:,.0f} ms, aim below {1000 * AIM_SECONDS:,.0f}: {_met(worst < 1000 * AIM_SECONDS)}")
    ratios = [hot.at(99) / even.at(99) for hot, even in zip(found[HOT], found[EVEN], strict=True)]
    ratio = statistics.median(ratios)
    print(
        f"p99 of the others beside a hot account, to that without: {ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f}),"
    )
    print(f"aim below {AIM_HOT:g}: {_met(ratio < AIM_HOT)}")


def _spread(rounds: Sequence[Round], value: Callable[[Round], float]) -> str:
    values = [value(each_round) for each_round in rounds]
    return f"{statistics.median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f})"


def _met(met: bool) -> str:
    return "met" if met else "missed"
