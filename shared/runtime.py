"""The shared resources of a service, opened and closed in one place: database, publisher, keys, outbox relay, tasks."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from shared.access.hash_file import HashFile
from shared.access.keystore import KeyStore
from shared.background import Background, Periodic
from shared.clock import Clock, booted_at
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.db.housekeeping import Housekeeping
from shared.db.outbox import Relay
from shared.db.parked import WhenDropped
from shared.db.schema_gate import SchemaGate
from shared.errors import TellbackError, Unavailable
from shared.events.envelope import PlainReaders
from shared.kafka.batch import MAX_RECORDS, RunnerConfig
from shared.kafka.producer import Publisher
from shared.kafka.runner import Runner
from shared.settings import CommonSettings
from shared.stopping import DATABASE, PUBLISHER, within
from shared.topics import Topic
from shared.verdicts import BatchHandler

HOUSEKEEPING_SECONDS = 30.0
KEYS_SECONDS = 60.0
OBSERVE_SECONDS = 15.0


@dataclass(frozen=True)
class Plumbing:
    """The shared resources of one service process."""

    service: str
    settings: CommonSettings
    clock: Clock
    database: Database
    publisher: Publisher
    keys: KeyStore
    relay: Relay
    housekeeping: Housekeeping
    tasks: Background
    gate: SchemaGate
    runners: list[Runner] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, service: str, settings: CommonSettings, clock: Clock, when_dropped: WhenDropped | None = None
    ) -> "AsyncIterator[Plumbing]":
        """Open the resources. PostgreSQL or Kafka being away delays nothing; readiness reports it. `when_dropped` is
        called for each dead letter that has become too old. Background work begins once the schema is one that this
        release works with."""
        database = Database.of(settings, service)
        publisher = Publisher(settings.kafka, settings.topic_prefix, client_id=f"tellback-{service}")
        file = HashFile(settings.data_dir / "api-keys.json") if settings.data_dir else None
        keys = KeyStore(database, clock, hash_file=file if service == "collector" else None)
        started = None
        if settings.replication_factor == 1:
            started = booted_at(clock)
        relay = Relay(database, publisher.send_many, booted_at=started)
        keep_parked = timedelta(days=settings.parked_keep_days)
        housekeeping = Housekeeping(database, clock, keep_parked, when_dropped)
        gate = SchemaGate(database, ("access", service))
        plumbing = cls(service, settings, clock, database, publisher, keys, relay, housekeeping, Background(), gate)
        plumbing.tasks.start("schema", gate.run)
        await publisher.start()
        await gate.first_look()
        if gate.fault is None:
            await keys.warm()
        plumbing.background("outbox-relay", relay.run)
        plumbing.start(Periodic("outbox-housekeeping", HOUSEKEEPING_SECONDS, plumbing._housekeeping))
        plumbing.start(Periodic("keys", KEYS_SECONDS, keys.flush))
        try:
            yield plumbing
        finally:
            await asyncio.gather(*(runner.stop() for runner in plumbing.runners))
            await plumbing.tasks.stop()
            keys.stop()
            await within(PUBLISHER, publisher.stop())
            await within(DATABASE, database.close())

    def runner(
        self,
        topics: tuple[Topic, ...],
        handlers: Mapping[str, BatchHandler],
        after_commit: Callable[[], None] | None = None,
        max_records: int = MAX_RECORDS,
        *,
        journal: Journal | None = None,
        plain: PlainReaders = MappingProxyType({}),
    ) -> Runner:
        """A consumer of these topics, running in the background. The relay is woken after every batch, which has at
        most `max_records`: fewer where one record costs much, so that its locks are held for a second, not for ten.
        With the `journal` of a service, records about erased people are not parked; `plain` are readers that are tried
        before the model."""

        def committed() -> None:
            self.relay.wake()
            if after_commit is not None:
                after_commit()

        config = RunnerConfig(
            service=self.service,
            topics=topics,
            kafka=self.settings.kafka,
            topic_prefix=self.settings.topic_prefix,
            owner=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}",
            dead_letter_limit=self.settings.dead_letter_limit,
            max_records=max_records,
            session_timeout_ms=self.settings.consumer_session_timeout_ms,
            journal=journal,
            plain=plain,
            copies=self.settings.replication_factor,
        )
        runner = Runner(config, self.database, handlers, committed)
        self.runners.append(runner)
        self.background("consumer", runner.run)
        self.start(Periodic("consumer-metrics", OBSERVE_SECONDS, runner.observe))
        return runner

    def background(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` beside the requests once the schema fits; after a failure it is started again, see
        `Background`."""
        self.tasks.start(name, self.gate.behind(work))

    def start(self, periodic: Periodic) -> None:
        """Run periodic work beside the requests, once the schema fits, until the process stops."""
        self.background(periodic.name, periodic.run)

    async def _housekeeping(self) -> bool:
        await self.relay.began.wait()
        await self.relay.observe()
        return await self.housekeeping.clean()

    async def not_ready(self) -> list[str]:
        """Why this process should get no traffic now; empty when it should. All that a service serves is in PostgreSQL,
        so nothing else is checked: that it answers, and has the schema that this release works with."""
        if not await self.database_answers():
            return ["database_unavailable"]
        if self.gate.reason is not None:
            return [self.gate.reason]
        return []

    def shut(self) -> TellbackError | None:
        """With which error requests are refused while the schema does not fit; None once it does."""
        return self.gate.shut

    async def remarks(self) -> list[str]:
        """What does not work now although requests are answered: reading has halted, a task fails, Kafka is away. While
        the schema does not fit, that alone: nothing else has begun."""
        if self.gate.fault is not None:
            return self.gate.remarks
        remarks = [remark for runner in self.runners if (remark := runner.remark)]
        remarks += [f"task {name} fails and is begun anew: {code}" for name, code in self.tasks.failing.items()]
        if not await self.publisher.answers():
            remarks.append("kafka_unavailable")
        return remarks

    async def database_answers(self) -> bool:
        """Whether PostgreSQL answers within 2 s."""
        try:
            async with asyncio.timeout(2):
                await self.database.ping()
        except (Unavailable, TimeoutError):
            return False
        return True
