"""A consumer with minimal state, on real Kafka and PostgreSQL: for tests of the consumer loop itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from shared.db.engine import Database, DatabaseUnavailable
from shared.db.transaction import WriteTx
from shared.kafka.batch import RunnerConfig
from shared.kafka.producer import Publisher
from shared.kafka.runner import Runner
from shared.topics import RESPONSES
from shared.verdicts import NEW, REPEAT, BatchHandler, Received, Verdict
from tests.support.environment import Environment
from tests.support.events import record_of, recorded
from tests.support.polling import eventually


class Counter:
    """A handler with minimal state: one inbox row a response, in the batch's own transaction."""

    def __init__(self) -> None:
        self.answers: dict[str, Verdict] = {}
        self.calls = 0
        self.trip: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        self.calls += 1
        await self.gate.wait()
        if self.trip is not None:
            trip, self.trip = self.trip, None
            raise trip
        seen = await tx.seen(*(record.event.id for record in records))
        verdicts = []
        for record in records:
            response_id = getattr(record.event.data, "response_id", "")
            verdicts.append(self.answers.get(response_id, REPEAT if record.event.id in seen else NEW))
        return verdicts


class Scene:
    """One environment with a publisher and a database handle, and runners on demand."""

    def __init__(self, environment: Environment, database: Database, publisher: Publisher) -> None:
        self.environment = environment
        self.database = database
        self.publisher = publisher
        self.handler: Counter = Counter()

    def runner(self, handler: BatchHandler | None = None, **config: Any) -> Runner:
        """A consumer of responses, with the scene's own handler unless told otherwise."""
        settings: dict[str, Any] = {
            "service": "scorer",
            "topics": (RESPONSES,),
            "kafka": self.environment.kafka,
            "topic_prefix": self.environment.topic_prefix,
            "session_timeout_ms": 6_000,
        }
        handlers: dict[str, BatchHandler] = dict.fromkeys(RESPONSES.events, handler or self.handler)
        return Runner(RunnerConfig(**(settings | config)), self.database, handlers)

    @asynccontextmanager
    async def running(self, **config: Any) -> AsyncIterator[Runner]:
        runner = self.runner(**config)
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            await runner.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def send(self, *response_ids: str) -> None:
        await self.publisher.send_many([record_of(recorded(name)) for name in response_ids])

    async def totals(self) -> Mapping[str, Any]:
        async with self.database.read() as tx:
            row = await tx.one(
                "select coalesce(sum(read_count), 0)::int as read, coalesce(sum(new_count), 0)::int as new,"
                " coalesce(sum(repeat_count), 0)::int as repeat, coalesce(sum(conflict_count), 0)::int as conflict,"
                " coalesce(sum(dead_lettered_count), 0)::int as dead, max(epoch)::int as epoch,"
                " coalesce(sum(passed_over_count), 0)::int as passed_over from cursors"
            )
            stored = await tx.scalar("select count(*) from inbox")
        return dict(row or {}) | {"stored": stored}

    async def halted(self, runner: Runner, code: str) -> None:
        """Wait until reading has stopped for this reason."""
        await eventually(lambda: (runner.remark or "").startswith(f"halted: {code}: "), timeout=20)

    async def answers(self) -> bool:
        """Whether the database accepts our own connections; asking replaces those that it has ended."""
        with contextlib.suppress(DatabaseUnavailable):
            await self.database.ping()
            return True
        return False

    @classmethod
    @asynccontextmanager
    async def of(cls, environment: Environment) -> AsyncIterator[Self]:
        """A scene with its own connections."""
        database = Database(environment.database_url, "scorer")
        publisher = Publisher(environment.kafka, environment.topic_prefix)
        await publisher.start()
        try:
            yield cls(environment, database, publisher)
        finally:
            await publisher.stop()
            await database.close()

    async def until(self, **expected: Any) -> None:
        async def reached() -> bool:
            totals = await self.totals()
            assert {name: totals[name] for name in expected} == expected
            return True

        await eventually(reached, timeout=20)
