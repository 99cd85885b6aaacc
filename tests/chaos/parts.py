"""Parts that can be killed at any moment and started again on the same data and port: Kafka, PostgreSQL, services."""

import asyncio
import contextlib
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import Kafka
from services.cli.embedded.postgres import Postgres
from services.cli.embedded.process import Program, free_port
from shared.kafka.connection import KafkaConnection
from tests.support.environment import Environment, fresh_environment
from tests.support.polling import eventually
from tests.support.processes import SOURCES, end, parts_folder, tellback

START_SECONDS = 180.0


class Part:
    """A real process. `ready` tells whether it is ready, given its process id."""

    def __init__(self, program: Program, ready: Callable[[int], bool]) -> None:
        self.name = program.name
        self.kills = 0
        self._program = program
        self._ready = ready
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._child is not None
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the process, from the main thread; `until_ready` waits for it."""
        with self._program.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._program.argv, stdout=log, stderr=subprocess.STDOUT, **self._program.options()
            )

    async def until_ready(self) -> None:
        """Wait until the process is ready. AssertionError with the end of its log when it has ended or takes too
        long."""

        async def probe() -> bool:
            if not self.running:
                raise RuntimeError(f"{self.name} ended: {self.log()[-3000:]}")
            return await self.serves()

        await eventually(probe, START_SECONDS)

    async def serves(self) -> bool:
        """Whether the process is ready now."""
        return self.running and await asyncio.to_thread(self._ready, self.pid)

    def kill(self) -> None:
        """SIGKILL the process and its descendants, as in a crash."""
        assert self._child is not None
        self.kills += 1
        family = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self._child.wait()
        psutil.wait_procs(family[1:], timeout=10)

    def stop(self) -> None:
        """Stop the process gracefully."""
        if self._child is not None:
            end(self._child, self._program.stop_signal)

    def log(self) -> str:
        """The log so far."""
        return self._program.log.read_text(errors="replace")


@dataclass
class Machine:
    """A Kafka and a PostgreSQL for one test, a fresh environment on them, and the services started so far."""

    environment: Environment
    kafka: Part
    postgres: Part
    logs: Path
    services: dict[str, Part] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    async def serve(self, service: str, name: str | None = None, **variables: str) -> Part:
        """Start a service as a part called `name` and wait until it is ready; `variables` are added to its
        environment."""
        port = free_port()
        part = service_part(service, port, self.environment.variables() | variables, self.logs, name or service)
        self.services[part.name] = part
        self.urls[part.name] = f"http://127.0.0.1:{port}"
        part.start()
        await part.until_ready()
        return part


def service_part(service: str, port: int, variables: Mapping[str, str], logs: Path, name: str) -> Part:
    """`tellback serve SERVICE` as a part."""
    program = Program(
        name=name,
        argv=tellback("serve", service, "--port", str(port), "--pause", "0"),
        log=logs / f"{name}.log",
        env={**SOURCES, "TELLBACK_LOG_FORMAT": "json", **variables},
    )
    return Part(program, lambda _: health(f"http://127.0.0.1:{port}", "ready") == 200)


def health(url: str, which: str) -> int:
    """The status of `/health/{which}`; 0 without an answer."""
    try:
        return httpx.get(f"{url}/health/{which}", timeout=5, trust_env=False).status_code
    except httpx.HTTPError:
        return 0


@contextlib.asynccontextmanager
async def own_machine(logs: Path) -> AsyncIterator[Machine]:
    """A machine for a test that kills its parts: never the parts that other tests share."""
    with parts_folder() as folder, _kafka(folder) as (kafka, servers), _postgres(folder) as (postgres, url):
        kafka.start()
        postgres.start()
        await kafka.until_ready()
        await postgres.until_ready()
        async with fresh_environment(servers, url()) as environment:
            machine = Machine(environment, kafka, postgres, logs)
            try:
                yield machine
            finally:
                for part in machine.services.values():
                    part.stop()
                for part in (kafka, postgres):
                    if not part.running:
                        part.start()
                    await part.until_ready()


@contextlib.contextmanager
def _kafka(folder: Path) -> Iterator[tuple[Part, KafkaConnection]]:
    jars = Jars()
    jars.fetch(jars.wrong())
    kafka = Kafka(folder / "kafka", jars, free_port(), free_port())
    kafka.prepare()
    part = Part(kafka.program(), lambda _: kafka.ready())
    try:
        yield part, kafka.connection()
    finally:
        part.stop()


@contextlib.contextmanager
def _postgres(folder: Path) -> Iterator[tuple[Part, Callable[[], str]]]:
    postgres = Postgres(folder / "postgres", free_port(), max_connections=100)
    postgres.prepare()
    part = Part(postgres.program(), postgres.ready)
    try:
        yield part, lambda: postgres.url("postgres")
    finally:
        part.stop()


async def stays(seconds: float, probe: Callable[[], bool]) -> None:
    """Fail unless `probe` holds at every check for so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert probe()
        with contextlib.suppress(AssertionError):
            await eventually(lambda: time.monotonic() >= until, 0.5)


async def killing(parts: list[Part], seconds: float, least: int, pause: tuple[float, float], seed: int) -> None:
    """SIGKILL a random part, sometimes two, start them again after a moment, and wait until they are ready: for so many
    seconds, and at least `least` kills."""
    dice = random.Random(seed)
    until = time.monotonic() + seconds
    while time.monotonic() < until or sum(part.kills for part in parts) < least:
        await passing(dice.uniform(*pause))
        victims = dice.sample(parts, min(len(parts), dice.choice((1, 1, 2))))
        for part in victims:
            part.kill()
        await passing(dice.uniform(0, 2))
        for part in victims:
            part.start()
        for part in victims:
            await part.until_ready()


async def passing(seconds: float) -> None:
    """Wait so many seconds."""
    moment = time.monotonic() + seconds
    await eventually(lambda: time.monotonic() >= moment, seconds + 5)
