"""A whole installation for a test: every service as a real process on the run's Kafka and PostgreSQL."""

import contextlib
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from services.cli.embedded.process import free_port
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.topics import BY_NAME, Topic
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

SERVICES = ("collector", "scorer", "alerting", "benchmark", "outreach")
SCOPES = ("ingest", "read", "act", "manage", "erase")
READY_SECONDS = 60.0


class Installation:
    """Starts, kills and calls the services of one environment; its clients carry a key with all scopes. `further`:
    settings beside those that every installation has; `databases`: URLs of single services."""

    def __init__(
        self,
        environment: Environment,
        logs: Path,
        key: str,
        further: Mapping[str, str] = MappingProxyType({}),
        databases: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.environment = environment
        self.key = key
        self._further = further
        self._databases = databases
        self._logs = logs
        self._ports = {service: free_port() for service in SERVICES}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.clients = {
            service: httpx.AsyncClient(base_url=self.url(service), headers=bearer(key), timeout=20, trust_env=False)
            for service in SERVICES
        }

    @property
    def collector(self) -> httpx.AsyncClient:
        """A client of the collector."""
        return self.clients["collector"]

    @property
    def scorer(self) -> httpx.AsyncClient:
        """A client of the scorer."""
        return self.clients["scorer"]

    @property
    def alerting(self) -> httpx.AsyncClient:
        """A client of alerting."""
        return self.clients["alerting"]

    @property
    def benchmark(self) -> httpx.AsyncClient:
        """A client of the benchmark service."""
        return self.clients["benchmark"]

    @property
    def outreach(self) -> httpx.AsyncClient:
        """A client of outreach."""
        return self.clients["outreach"]

    def url(self, service: str) -> str:
        """The address of a service."""
        return f"http://127.0.0.1:{self._ports[service]}"

    def start(self, service: str) -> None:
        """Start a service; `ready` waits for it."""
        variables = self.environment.variables() | {
            "TELLBACK_ALERTING_ALLOW_NETWORKS": "127.0.0.1/32",
            "TELLBACK_BENCHMARK_SCORER_URL": self.url("scorer"),
            "TELLBACK_BENCHMARK_ALERTING_URL": self.url("alerting"),
            "TELLBACK_OUTREACH_API_KEY": self.key,
            "TELLBACK_OUTREACH_PUBLIC_URL": self.url("outreach"),
            **{f"TELLBACK_OUTREACH_{name.upper()}_URL": self.url(name) for name in SERVICES if name != "outreach"},
            "TELLBACK_LOG_FORMAT": "json",
            "TELLBACK_DATABASE_URL": self._databases.get(service, self.environment.database_url),
            **self._further,
        }
        argv = tellback("serve", service, "--port", str(self._ports[service]), "--pause", "0")
        self._running[service] = start(argv, self._logs / f"{service}.log", variables)

    async def ready(self, *services: str) -> None:
        """Wait until the services are ready."""
        for service in services or SERVICES:
            await eventually(lambda service=service: self._is_ready(service), timeout=READY_SECONDS)  # type: ignore[misc]

    async def _is_ready(self, service: str) -> bool:
        child = self._running[service]
        if child.poll() is not None:
            log = (self._logs / f"{service}.log").read_text(errors="replace")
            raise RuntimeError(f"{service} ended with {child.returncode}: {log[-3000:]}")
        try:
            answer = await self.clients[service].get("/health/ready")
        except httpx.HTTPError:
            return False
        return answer.is_success

    def is_still_running(self, service: str) -> bool:
        """Whether the process that was started last still runs."""
        return self._running[service].poll() is None

    def log(self, service: str) -> str:
        """The log of a service so far."""
        return (self._logs / f"{service}.log").read_text(errors="replace")

    def end(self, service: str) -> int:
        """Stop a service gracefully; returns its exit code."""
        return end(self._running[service])

    def kill(self, service: str) -> None:
        """SIGKILL, as a crash would be."""
        child = self._running[service]
        child.send_signal(signal.SIGKILL)
        child.wait()

    async def stop(self) -> None:
        """Stop all services gracefully."""
        for client in self.clients.values():
            await client.aclose()
        for child in self._running.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self._running.values():
            end(child)

    async def repeat_everything(self) -> int:
        """Append every record of every topic again, unchanged; returns how many there were."""
        records = [record async for record in self._records()]
        publisher = Publisher(self.environment.kafka, self.environment.topic_prefix, send_seconds=20)
        await publisher.start()
        answers = await publisher.send_many(records)
        await publisher.stop()
        assert not any(answers)
        return len(records)

    async def _records(self) -> AsyncIterator[Record]:
        for topic in _carrying_events():
            for record in await topic_records(self.environment.kafka, self.environment.topic_prefix + topic.name):
                headers = [(name, bytes(value)) for name, value in record.headers]
                yield Record.raw(topic, "", record.key, record.value, headers, record.partition)

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """The JSON of a successful GET."""
        answer = await self.clients[service].get(path, params=params)
        assert answer.is_success, answer.text
        return answer.json()


def _carrying_events() -> Iterator[Topic]:
    return (topic for topic in BY_NAME.values() if topic.events)


@contextlib.asynccontextmanager
async def installed(
    environment: Environment,
    logs: Path,
    further: Mapping[str, str] = MappingProxyType({}),
    databases: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Installation]:
    """An installation with all services ready, with further settings and databases of single services."""
    installation = Installation(environment, logs, await api_key(environment, SCOPES), further, databases)
    try:
        for service in SERVICES:
            installation.start(service)
        await installation.ready()
        yield installation
    finally:
        await installation.stop()
