"""The collector beside raw baselines and peers on one machine, acks=all and idempotent.

`make bench ARGS="collector --rounds 3 --seconds 5"`. Cases run interleaved, round by round; ratios are taken within a
round, since the machine's speed drifts between rounds. Needs wrk (Debian: `apt-get install wrk`). Peers that are not
there are named and left out: the Go peer (`--go PROGRAM`) and librdkafka (`confluent-kafka` importable by this Python).
The Go peer is made by `go build` in bench/benthos, of the engine and the Kafka client of Redpanda Connect; a
`redpanda-connect` on the path is taken too, and runs the same file.

The cases: uvicorn that does no work (what HTTP alone takes); the bare group commit (decode, publish, wait); the
collector's handler without its service around it; the collector; the Go peer doing the bare work; and for arrays
librdkafka producing the collector's records with no HTTP at all.
"""

import argparse
import asyncio
import importlib.util
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from services.cli.embedded.process import free_port
from shared.kafka.connection import KafkaConnection
from tests.support.environment import Environment, fresh_environment
from tests.support.http import api_key
from tests.support.processes import embedded_kafka, embedded_postgres, end, start, tellback, wait_until

HERE = Path(__file__).parent
SIZES = (1, 100)
NO_WORK, GO, PRODUCE = "uvicorn, no work", "Go peer", "librdkafka, produce only"
HANDLER, OURS = "bare handler", "collector"
AIMS = {
    1: ((OURS, NO_WORK, 0.70), (OURS, GO, 1.2), (OURS, HANDLER, 0.95)),
    100: ((OURS, GO, 2.5), (OURS, PRODUCE, 0.70), (OURS, HANDLER, 0.95)),
}
"""Responses a POST -> (whose rate, to whose, at least)."""


class Sample(NamedTuple):
    """One measurement: responses a second, latencies of a POST in ms, failed requests."""

    rate: float
    p50: float = 0.0
    p99: float = 0.0
    failures: int = 0


@dataclass(slots=True)
class Case:
    """Something under load: `measure(size)` posts that many responses at a time."""

    name: str
    measure: Callable[[int], Sample]
    sizes: tuple[int, ...] = SIZES
    samples: dict[int, list[Sample]] = field(default_factory=lambda: {size: [] for size in SIZES})


def main(argv: list[str]) -> int:
    """Run the benchmark and print a table."""
    options = argparse.ArgumentParser(prog="bench collector", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--go", default=shutil.which("redpanda-connect"), help="the program of the Go peer")
    asked = options.parse_args(argv)
    if shutil.which("wrk") is None:
        print("skipped: wrk is not installed (Debian: apt-get install wrk)")
        return 0
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_run(kafka, postgres, asked))
    return 0


async def _run(kafka: KafkaConnection, postgres: str, asked: argparse.Namespace) -> None:
    async with fresh_environment(kafka, postgres) as environment:
        key = await api_key(environment, ["ingest"])
        with ExitStack() as stack, tempfile.TemporaryDirectory() as logs:
            cases = [
                stack.enter_context(_server(name, argv, environment, Path(logs), key, asked))
                for name, argv in _servers(asked.go)
            ]
            cases += _producers(environment, asked.seconds)
            for case in cases:
                for size in case.sizes:
                    case.measure(size)  # warm up
            for _ in range(asked.rounds):
                for size in SIZES:
                    for case in cases:
                        if size in case.sizes:
                            case.samples[size].append(case.measure(size))
        _print(cases, asked)


def _servers(go: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    bare = (sys.executable, "-P", str(HERE / "baselines.py"))
    yield NO_WORK, (*bare, "none", "{port}")
    yield "bare group commit", (*bare, "group", "{port}")
    yield HANDLER, (*bare, "handler", "{port}")
    yield OURS, tellback("serve", "collector", "--port", "{port}", "--pause", "0")
    if go is None:
        print(f"left out: {GO} (go build in bench/benthos)")
    else:
        yield GO, (go, "run", str(HERE / "rpconnect.yaml"))


def _producers(environment: Environment, seconds: int) -> Iterator[Case]:
    if importlib.util.find_spec("confluent_kafka") is None:
        print(f"left out: {PRODUCE} (pip install confluent-kafka)")
    else:
        yield Case(PRODUCE, partial(_produce, environment, seconds), sizes=(100,))


def _produce(environment: Environment, seconds: int, _size: int) -> Sample:
    kafka = environment.kafka
    login = kafka.bootstrap_servers, kafka.username, kafka.password.get_secret_value()
    command = [sys.executable, str(HERE / "produce_only.py"), *login, environment.topic_prefix, str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Sample(float(done.stdout))


@contextmanager
def _server(
    name: str, argv: tuple[str, ...], environment: Environment, logs: Path, key: str, asked: argparse.Namespace
) -> Iterator[Case]:
    port = free_port()
    log = logs / f"{port}.log"
    variables = environment.variables() | {"PORT": str(port)}
    child = start([part.format(port=port) for part in argv], log, variables)
    try:
        wait_until(lambda: _answers(port), child, log)
        yield Case(name, partial(_load, port, key, asked))
    finally:
        end(child)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _load(port: int, key: str, asked: argparse.Namespace, size: int) -> Sample:
    url = f"http://127.0.0.1:{port}"
    command = ["wrk", "-t1", f"-c{asked.connections}", f"-d{asked.seconds}", "--latency", "-s", str(HERE / "post.lua")]
    command += [url, "--", key, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    requests, micros, bad, broken = map(int, found.groups()[:4])
    return Sample(requests * size / (micros / 1e6), float(found[5]), float(found[6]), bad + broken)


def _print(cases: list[Case], asked: argparse.Namespace) -> None:
    print(f"{asked.rounds} rounds of {asked.seconds} s, {asked.connections} connections, acks=all, idempotent")
    by_name = {case.name: case for case in cases}
    for size in SIZES:
        print(f"\n{size} response(s) a POST{'':>10} responses/s: median (spread)      p50 / p99 ms   p99/p50")
        for case in cases:
            if samples := case.samples[size]:
                _print_case(case.name, samples)
        for ours, theirs, aim in AIMS[size]:
            if theirs in by_name:
                pairs = zip(by_name[ours].samples[size], by_name[theirs].samples[size], strict=True)
                ratios = [sample.rate / other.rate for sample, other in pairs]
                share = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
                print(f"  {ours} to {theirs}: {share}, aim {aim}")
    failed = {case.name: sum(sample.failures for size in SIZES for sample in case.samples[size]) for case in cases}
    if any(failed.values()):
        print(f"\nfailed requests: {failed}")


def _print_case(name: str, samples: list[Sample]) -> None:
    rates = [sample.rate for sample in samples]
    spread = f"({min(rates):,.0f}-{max(rates):,.0f})"
    p50, p99 = (statistics.median(each) for each in ([s.p50 for s in samples], [s.p99 for s in samples]))
    latency = f"{p50:.1f} / {p99:.1f}   {p99 / p50:.1f}" if p50 else ""
    print(f"{name:<26} {statistics.median(rates):>12,.0f} {spread:>22}  {latency:>22}")
