"""How fast the collector takes responses, acknowledged by Kafka, beside the same server doing nothing.

`make bench ARGS="collector --rounds 3 --seconds 5"`. Cases run interleaved, round by round; ratios are taken within a
round, since the machine's speed drifts between rounds. Needs wrk (Debian: `apt-get install wrk`).
"""

import argparse
import asyncio
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.embedded.process import free_port
from tests.support.environment import Environment, fresh_environment
from tests.support.http import api_key
from tests.support.processes import embedded_kafka, embedded_postgres, end, start, tellback, wait_until

HERE = Path(__file__).parent
SIZES = (1, 100)


@dataclass(slots=True)
class Case:
    """One server under load, and what was measured: responses a second and p50, p99 in ms, by responses a POST."""

    name: str
    port: int
    rates: dict[int, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})
    latencies: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: {size: [] for size in SIZES})
    failures: int = 0


def main(argv: list[str]) -> int:
    """Run the benchmark and print a table."""
    options = argparse.ArgumentParser(prog="bench collector", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--connections", type=int, default=64)
    asked = options.parse_args(argv)
    if shutil.which("wrk") is None:
        print("skipped: wrk is not installed (Debian: apt-get install wrk)")
        return 0
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_run(kafka, postgres, asked))
    return 0


async def _run(kafka: str, postgres: str, asked: argparse.Namespace) -> None:
    async with fresh_environment(kafka, postgres) as environment:
        key = await api_key(environment, ["ingest"])
        with ExitStack() as stack, tempfile.TemporaryDirectory() as logs:
            cases = [stack.enter_context(_server(*each, environment, Path(logs))) for each in _cases()]
            for case in cases:
                for size in SIZES:
                    _load(case, key, size, 2, asked.connections)  # warm up
            for _ in range(asked.rounds):
                for size in SIZES:
                    for case in cases:
                        rate, p50, p99, failed = _load(case, key, size, asked.seconds, asked.connections)
                        case.rates[size].append(rate)
                        case.latencies[size].append((p50, p99))
                        case.failures += failed
        _print(cases, asked)


def _cases() -> Iterator[tuple[str, tuple[str, ...]]]:
    bare = (sys.executable, "-P", str(HERE / "baselines.py"))
    yield "uvicorn, no work", (*bare, "none", "{port}")
    yield "bare group commit", (*bare, "group", "{port}")
    yield "collector", tellback("serve", "collector", "--port", "{port}", "--pause", "0")


@contextmanager
def _server(name: str, argv: tuple[str, ...], environment: Environment, logs: Path) -> Iterator[Case]:
    case = Case(name, free_port())
    log = logs / f"{case.port}.log"
    child = start([part.format(port=case.port) for part in argv], log, environment.variables())
    try:
        wait_until(lambda: _answers(case.port), child, log)
        yield case
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


def _load(case: Case, key: str, size: int, seconds: int, connections: int) -> tuple[float, float, float, int]:
    """Responses a second, p50 and p99 in ms, failed requests."""
    url = f"http://127.0.0.1:{case.port}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(HERE / "post.lua"), url]
    done = subprocess.run([*command, "--", key, str(size)], capture_output=True, text=True, check=True)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    requests, micros, bad, broken = map(int, found.groups()[:4])
    return requests * size / (micros / 1e6), float(found[5]), float(found[6]), bad + broken


def _print(cases: list[Case], asked: argparse.Namespace) -> None:
    raw = cases[0]
    print(f"{asked.rounds} rounds of {asked.seconds} s, {asked.connections} connections, acks=all, idempotent")
    for size in SIZES:
        print(f"\n{size} response(s) a POST{'':>10} responses/s: median (spread)    to no work    p50 / p99 ms")
        for case in cases:
            rates = case.rates[size]
            ratios = [own / base for own, base in zip(rates, raw.rates[size], strict=True)]
            p50, p99 = (statistics.median(each) for each in zip(*case.latencies[size], strict=True))
            spread = f"({min(rates):,.0f}-{max(rates):,.0f})"
            share = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
            print(
                f"{case.name:<22} {statistics.median(rates):>12,.0f} {spread:>20}  {share:>20}  {p50:.1f} / {p99:.1f}"
            )
    if failed := {case.name: case.failures for case in cases if case.failures}:
        print(f"\nfailed requests: {failed}")
