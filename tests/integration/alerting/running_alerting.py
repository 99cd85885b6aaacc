"""Alerting in a test's hands: events go in over real Kafka, follow-ups come out over HTTP."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import httpx
from fastapi import FastAPI

from services.alerting.app import build, timers_of
from services.alerting.settings import AlertingSettings
from shared.events.envelope import Event, decode
from shared.ids import uuid7
from shared.isolation import Held
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.runtime import Plumbing
from shared.topics import FOLLOW_UPS
from tests.integration.alerting.cases import MONDAY, TOPIC_OF, Case
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import record_of, topic_records
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

EVERYTHING = ("read", "act", "manage", "erase")
Item = dict[str, Any]


@dataclass(frozen=True)
class RunningAlerting:
    """A running alerting service with a key that may do everything."""

    app: FastAPI
    client: httpx.AsyncClient
    environment: Environment
    publisher: Publisher
    clock: FrozenClock
    sent: list[int] = field(default_factory=list)

    @property
    def plumbing(self) -> Plumbing:
        """The plumbing of the running application."""
        return cast(Plumbing, self.app.state.plumbing)

    async def emit(self, *events: Event) -> None:
        """Publish events to their topics and wait until alerting has read them."""
        for event in events:
            await self.publisher.send(record_of(event, TOPIC_OF[event.name]))
        self.sent.append(len(events))
        await self.all_read()

    async def emit_raw(self, record: Record) -> None:
        """Publish one record as it is."""
        await self.publisher.send(record)
        self.sent.append(1)
        await self.all_read()

    async def all_read(self) -> None:
        """Wait until everything that was published has been read and committed."""

        async def read() -> bool:
            return await self.number("select sum(read_count) from cursors") == sum(self.sent)

        await eventually(read, timeout=20)

    async def number(self, sql: str, **params: Any) -> int:
        """A number out of the database."""
        async with self.plumbing.database.read() as tx:
            return int(await tx.scalar(sql, **params) or 0)

    async def outcomes(self) -> Mapping[str, int]:
        """What became of all records read."""
        names = ("new", "repeat", "change", "pending", "conflict", "dead_lettered")
        sums = ", ".join(f"sum({name}_count)::int as {name}" for name in names)
        async with self.plumbing.database.read() as tx:
            row = await tx.one(f"select {sums} from cursors")  # noqa: S608 - names of ours
        assert row is not None
        return {name: row[name] for name in names if row[name]}

    async def run_timer(self, name: str) -> int:
        """Do once what is done by time: `snoozes`, `renewals` and so on; answers how much there was."""
        resources = self.app.state.service.resources
        works = {known: work for known, _, work in timers_of(AlertingSettings.load(), resources)}
        done = await works[name](self.plumbing.database, Held(name))
        self.app.state.service.committed()
        return done

    async def items(self, case: Case, **params: Any) -> list[Item]:
        """The follow-ups of a case as listed."""
        answer = await self.client.get("/v1/follow-ups", params={"account_id": case.account_id} | params)
        assert answer.status_code == 200, answer.text
        return cast(list[Item], answer.json()["items"])

    async def only(self, case: Case, **params: Any) -> Item:
        """The one follow-up of a case."""
        (item,) = await self.items(case, **params)
        return item

    async def get(self, follow_up_id: str, part: str = "") -> Item:
        """A follow-up with its history."""
        answer = await self.client.get(f"/v1/follow-ups/{follow_up_id}{part}")
        assert answer.status_code == 200, answer.text
        return cast(Item, answer.json())

    async def subscribe(self, *types: str) -> None:
        """An endpoint for these messages that is switched off, so that they are kept and none is sent."""
        async with self.plumbing.database.write() as tx:
            await tx.execute(
                "insert into webhook_endpoints (endpoint_id, url, event_types, status, created_by, created_at,"
                " updated_at) values (:id, 'https://crm.example/', cast(:types as text[]), 'disabled', 'test', now(),"
                " now())",
                id=f"we_{uuid7().hex}",
                types=list(types),
            )

    async def messages(self, case: Case) -> list[Item]:
        """The bodies of the messages kept about a case, with their ids, in the order of their numbers."""
        async with self.plumbing.database.read() as tx:
            rows = await tx.all(
                "select message_id, body from webhook_messages where account_id = :account_id order by sequence",
                account_id=case.account_id,
            )
        return [{"id": row["message_id"]} | json.loads(bytes(row["body"])) for row in rows]

    async def do(self, follow_up_id: str, action: str, status: int = 200, **body: Any) -> Item:
        """A change of a follow-up."""
        answer = await self.client.post(f"/v1/follow-ups/{follow_up_id}/{action}", json=body)
        assert answer.status_code == status, answer.text
        return cast(Item, answer.json())

    async def published(self, case: Case, name: str | None = None) -> list[Event]:
        """What alerting has published about a case on the topic follow-ups, once its outbox is empty."""

        async def empty() -> bool:
            return await self.number("select count(*) from outbox where published_at is null") == 0

        await eventually(empty)
        records = await topic_records(self.environment.kafka, self.environment.topic_prefix + FOLLOW_UPS.name)
        events = [decode(record.headers, record.value) for record in records]
        return [event for event in events if event.account_id == case.account_id and name in (None, event.name)]

    async def key(self, *scopes: str, owner_email: str | None = None) -> dict[str, str]:
        """The header of another key."""
        return bearer(await api_key(self.environment, scopes, owner_email))


@contextlib.asynccontextmanager
async def running_alerting(environment: Environment, at: datetime = MONDAY) -> AsyncIterator[RunningAlerting]:
    """Alerting on an environment, with its consumer running and a clock that stands still."""
    clock = FrozenClock(at)
    app = build(environment.common, clock)
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    try:
        async with running(app) as client:
            client.headers.update(bearer(await api_key(environment, EVERYTHING)))
            yield RunningAlerting(app, client, environment, publisher, clock)
    finally:
        await publisher.stop()
