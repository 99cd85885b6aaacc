"""Real processes for tests: started with a log, and always stopped."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import Kafka
from services.cli.embedded.postgres import Postgres
from services.cli.embedded.process import Program, free_port
from shared.kafka.connection import KafkaConnection
from tests.support.environment import Environment

SOURCES = {"PYTHONPATH": str(Path(__file__).parents[2])}
"""Variables that put the code of this tree on the path, whether or not it is installed."""
THROWN_AWAY = {"fsync": "off", "full_page_writes": "off"}
"""The PostgreSQL of a test run need not survive a crash of the machine. It still survives kill -9, since the kernel has
what was written. Making and dropping a database costs a checkpoint, which is cheap with these settings."""
START_SECONDS = 60.0
STOP_SECONDS = 25.0


def tellback(*arguments: str) -> tuple[str, ...]:
    """The command line of a `tellback` command as a process."""
    return (sys.executable, "-P", "-m", "services.cli.main", *arguments)


@contextlib.contextmanager
def running(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends, then stop it: by its stop signal, and by SIGKILL after 25 s."""
    with program.log.open("ab") as log:
        child = subprocess.Popen(program.argv, stdout=log, stderr=subprocess.STDOUT, **program.options())
    try:
        yield child
    finally:
        end(child, program.stop_signal)


def start(argv: Sequence[str], log: Path | IO[bytes], env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a program that writes to `log`, a file's path or an open file, with `env` added to the environment; `end`
    stops it."""
    program = Program(name=Path(argv[0]).name, argv=tuple(argv), log=Path(os.devnull), env={**SOURCES, **(env or {})})
    with log.open("ab") if isinstance(log, Path) else contextlib.nullcontext(log) as out:
        return subprocess.Popen(program.argv, stdout=out, stderr=subprocess.STDOUT, **program.options())


def end(
    child: subprocess.Popen[bytes], with_signal: signal.Signals = signal.SIGTERM, seconds: float = STOP_SECONDS
) -> int:
    """Stop a child; kill it after 25 s or the seconds given. Returns its exit code."""
    if child.poll() is None:
        child.send_signal(with_signal)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def wait_until(ready: Callable[[], bool], child: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for `ready`, or fail with the end of the log when the child ends or 60 s pass."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if child.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"did not start: {log.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.05)


@contextlib.contextmanager
def parts_folder() -> Iterator[Path]:
    """A temporary folder for the data of an embedded part."""
    with tempfile.TemporaryDirectory(prefix="tellback-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextlib.contextmanager
def embedded_kafka() -> Iterator[KafkaConnection]:
    """A real broker for the block."""
    jars = Jars()
    jars.fetch(jars.wrong())
    with parts_folder() as folder:
        kafka = Kafka(folder / "kafka", jars, free_port(), free_port())
        kafka.prepare()
        program = kafka.program()
        with running(program) as child:
            wait_until(kafka.ready, child, program.log)
            yield kafka.connection()


@contextlib.contextmanager
def embedded_postgres(settings: Mapping[str, str] | None = None, kept: Path | None = None) -> Iterator[str]:
    """A real server for the block, as durable as servers are unless `settings` say otherwise: the URL of its
    maintenance database, for a superuser. Its data are in the folder `kept` afterwards, or gone."""
    with contextlib.nullcontext(kept) if kept else parts_folder() as folder:
        postgres = Postgres(folder / "postgres", free_port(), max_connections=300, settings=settings)
        postgres.prepare()
        program = postgres.program()
        with running(program) as child:
            wait_until(lambda: postgres.ready(child.pid), child, program.log)
            yield postgres.url("postgres")


async def run_tellback(
    environment: Environment, *arguments: str, tree: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, on the environment's Kafka and PostgreSQL; of another tree than this one where
    that is named."""
    sources = SOURCES
    if tree is not None:
        sources = {"PYTHONPATH": str(tree)}
    return await asyncio.to_thread(
        subprocess.run,
        tellback(*arguments),
        env=os.environ | sources | environment.variables(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
