"""The processes on this machine: Kafka and PostgreSQL unless the environment names others, and every service."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from services.cli.connection import PORTS, lacking, named_elsewhere, own_ports
from services.cli.console import Busy
from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import UNLIMITED, Kafka, java
from services.cli.embedded.postgres import Postgres
from services.cli.embedded.process import LOOPBACK, Program, free_port, port_is_free
from services.cli.folder import DataFolder
from services.cli.settings import CliSettings
from services.cli.supervisor import Part
from shared.disk import MEGABYTE

BACKING, SERVICES = 0, 1
"""Stages of the start."""
MAIL = "mail-listen"
"""The command that is the relay of `up --demo`."""
ASK_SECONDS = 1.0
EMBEDDED = ("TELLBACK_KAFKA_BOOTSTRAP_SERVERS", "TELLBACK_DATABASE_URL")
"""A part is embedded unless the environment sets its variable."""


@dataclass(frozen=True, slots=True)
class Backing:
    """The embedded parts of an installation; None for a part that the environment names."""

    kafka: Kafka | None
    postgres: Postgres | None

    def prepare(self) -> None:
        """Make the parts' data folders, the first time; that blocks for two seconds."""
        if self.postgres:
            self.postgres.prepare()
        if self.kafka:
            self.kafka.prepare()

    def parts(self) -> list[Part]:
        """The embedded parts, to be supervised."""
        parts = []
        if postgres := self.postgres:

            async def postgres_ready(pid: int) -> bool:
                return postgres.ready(pid)

            parts.append(Part(postgres.program(), postgres_ready, postgres.port, BACKING))
        if kafka := self.kafka:

            async def kafka_ready(_pid: int) -> bool:
                return kafka.ready()

            parts.append(Part(kafka.program(), kafka_ready, kafka.port, BACKING))
        return parts


def embedded_wanted() -> tuple[bool, bool]:
    """Whether Kafka and PostgreSQL are embedded: not where the environment names them."""
    kafka, postgres = EMBEDDED
    return not named_elsewhere(kafka), not named_elsewhere(postgres)


def set_up(folder: DataFolder) -> bool:
    """Whether an `up` has set up all embedded parts that are needed in this folder."""
    known = folder.variables()
    return all(variable in known for variable in EMBEDDED if not named_elsewhere(variable))


def backing(folder: DataFolder, *, with_kafka: bool = True) -> Backing:
    """The embedded parts on their kept ports; a port that is taken meanwhile is replaced by a free one."""
    kafka_here, with_postgres = embedded_wanted()
    with_kafka = with_kafka and kafka_here
    names = ("kafka", "kafka_controller") * with_kafka + ("postgres",) * with_postgres
    kept = folder.ports()
    ports = dict(kept)
    for name in names:
        if name not in kept or not port_is_free(kept[name]):
            ports[name] = free_port()
    if ports != kept:
        folder.keep_ports(ports)
    kafka = postgres = None
    if with_kafka:
        java()  # before its jars are fetched
        kafka = Kafka(
            folder.kafka, Jars(), ports["kafka"], ports["kafka_controller"], partition_bytes=_partition_bytes()
        )
    if with_postgres:
        postgres = Postgres(folder.postgres, ports["postgres"])
    return Backing(kafka, postgres)


def _partition_bytes() -> int:
    megabytes = CliSettings.load().embedded_partition_megabytes
    if not megabytes:
        return UNLIMITED
    return megabytes * MEGABYTE


def refuse_taken_ports(services: list[str], port_base: int) -> None:
    """Raises Busy for the first service whose port another process listens on."""
    for name in services:
        port = port_base + PORTS[name]
        if not port_is_free(port):
            raise Busy("port_taken", f"port {port} ({name}) is taken: choose other ports with --port-base")


def tellback(*arguments: str) -> tuple[str, ...]:
    """The command line of a `tellback` command as a child process; -P keeps the working directory off the import
    path."""
    return (sys.executable, "-P", "-m", "services.cli.main", *arguments)


def service_part(name: str, folder: DataFolder, port_base: int, env: dict[str, str]) -> Part:
    """A service as a part to supervise; ready when its /health/ready says so."""
    port = port_base + PORTS[name]
    own = folder.path / name
    own.mkdir(mode=0o700, exist_ok=True)

    async def ready(_pid: int) -> bool:
        return await asks_ready(port)

    program = Program(
        name=name,
        argv=tellback("serve", name, "--port", str(port), "--pause", "0"),
        log=log_of(folder, name),
        env={**env, "TELLBACK_DATA_DIR": str(own)},
    )
    return Part(program, ready, port, SERVICES)


def mail_part(folder: DataFolder) -> Part | None:
    """The relay of `up --demo`, which shows mails and sends none on; None where the environment names another one."""
    if named_elsewhere("TELLBACK_OUTREACH_SMTP_HOST"):
        return None
    port = free_port()

    async def ready(_pid: int) -> bool:
        return await greets(port)

    argv = tellback(MAIL, "--port", str(port), "--data", str(folder.path))
    return Part(Program(name=MAIL, argv=argv, log=log_of(folder, MAIL)), ready, port, SERVICES)


def mail_environment(port: int) -> dict[str, str]:
    """The environment variables with which outreach hands its mails to that relay. Variables that are set already
    win."""
    told = {
        "TELLBACK_OUTREACH_SMTP_HOST": LOOPBACK,
        "TELLBACK_OUTREACH_SMTP_PORT": str(port),
        "TELLBACK_OUTREACH_SMTP_SECURITY": "none",
        "TELLBACK_OUTREACH_SENDER_DOMAINS": "supplier.example",  # of the demo's account managers
    }
    return lacking(told)


def service_environment(folder: DataFolder, port_base: int, *, demo: bool) -> dict[str, str]:
    """The environment variables of services: the addresses of the parts and of the other services. Variables that are
    set already win."""

    def at(service: str) -> str:
        return f"http://{LOOPBACK}:{port_base + PORTS[service]}"

    told = folder.variables() | {
        "TELLBACK_BENCHMARK_SCORER_URL": at("scorer"),
        "TELLBACK_COLLECTOR_DISK_FOLDERS": ",".join(map(str, folder.disks)),
        "TELLBACK_DASHBOARD_API_KEY_FILE": str(folder.dashboard_key),
        **{f"TELLBACK_DASHBOARD_{name.upper()}_URL": at(name) for name in PORTS if name != "dashboard"},
        "TELLBACK_BENCHMARK_ALERTING_URL": at("alerting"),
        "TELLBACK_OUTREACH_API_KEY_FILE": str(folder.outreach_key),
        "TELLBACK_OUTREACH_PUBLIC_URL": at("outreach"),
        **{
            f"TELLBACK_OUTREACH_{name.upper()}_URL": at(name)
            for name in ("collector", "scorer", "alerting", "benchmark")
        },
        # No webhook may go to Tellback itself, even where its network is allowed.
        "TELLBACK_ALERTING_OWN_PORTS": ",".join(map(str, own_ports(folder, port_base))),
        "TELLBACK_DASHBOARD_PUBLIC_URL": at("dashboard"),
    }
    if demo:
        told["TELLBACK_ALERTING_ALLOW_NETWORKS"] = f"{LOOPBACK}/32"  # for `tellback webhook-listen`
    return lacking(told)


def log_of(folder: DataFolder, name: str) -> Path:
    """The log file of a service."""
    return folder.logs / f"{name}.log"


async def greets(port: int) -> bool:
    """A check whether a mail relay on this port says that it is there."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                return (await reader.readline()).startswith(b"220 ")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer of a health check: whether the service is ready, and what does not work although it answers."""

    ready: bool
    remarks: tuple[str, ...] = ()


async def asks_ready(port: int, host: str = LOOPBACK) -> bool:
    """A check whether the service on this port is ready."""
    return (await readiness(port, host)).ready


async def readiness(port: int, host: str = LOOPBACK) -> Readiness:
    """Ask the service on this port for its readiness; not ready where nothing answers."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
        report = json.loads(body)
    except (OSError, TimeoutError, ValueError):
        return Readiness(ready=False)
    return Readiness(head.split()[1:2] == [b"200"], tuple(report.get("remarks", ())))
