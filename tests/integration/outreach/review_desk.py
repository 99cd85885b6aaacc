"""Outreach beside a real scorer, alerting and benchmark: a client whose people have answered, and a survey for business
reviews that is published."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import RowMapping

from services.outreach.app import build
from services.outreach.handlers.review_reminders import ReviewReminders
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.events.context import ContextRecorded
from shared.events.directory import AccountRemoved, AccountUpserted, Contact, StakeholderUpserted
from shared.events.envelope import Event, EventData
from shared.http.client import Api, ServiceName, Services
from shared.ids import uuid7
from shared.records import Record
from shared.topics import (
    ACCOUNT_REMOVED,
    ACCOUNT_UPSERTED,
    CONTEXT_EVENTS,
    CONTEXT_RECORDED,
    DIRECTORY,
    STAKEHOLDER_UPSERTED,
    Topic,
)
from tests.integration.benchmark.chain import Chain, chained
from tests.integration.benchmark.stand import publish
from tests.integration.outreach.survey_desk import LEGAL
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, record_of, recorded
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

KIM, LEE = "kim@supplier.example", "lee@supplier.example"
SCOPES = ("ingest", "read", "act", "manage", "erase")
PEOPLE = {"ann": "Ann Archer", "ben": "Ben Birch", "cid": "Cid Crane", "dee": "Dee Dorn"}


class ByPort(httpx.AsyncBaseTransport):
    """Each port is one of the services."""

    def __init__(self, chain: Chain) -> None:
        clients = {8002: chain.scorer, 8003: chain.alerting, 8004: chain.benchmark}
        self._transports = {port: client._transport for port, client in clients.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the service that the address names."""
        return await self._transports[request.url.port or 0].handle_async_request(request)


@dataclass(frozen=True)
class ReviewDesk:
    """A running outreach with a key of every scope; `key` is that with which outreach itself asks."""

    chain: Chain
    client: httpx.AsyncClient
    database: Database
    services: Services
    key: str
    survey_id: str

    @property
    def clock(self) -> FrozenClock:
        """Of all services."""
        return self.chain.clock

    @property
    def reminders(self) -> ReviewReminders:
        """The daily look."""
        return ReviewReminders(self.database, self.clock, Api(self.services, self.key))

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of an answer that has this status."""
        answer = await self.client.request(method, f"/v1/business-reviews{path}", **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def made(self, **fields: Any) -> Any:
        """A new review of acme, held today, for Ann."""
        body = {
            "account_id": "acme",
            "held_on": self.clock.now().date().isoformat(),
            "recipients": [{"stakeholder_id": "ann"}],
        }
        return await self.call("POST", "", 201, json=body | fields)

    async def codes(self, **fields: Any) -> list[tuple[str, str]]:
        """(field, code) of what is wrong with a review that is refused."""
        body = {"account_id": "acme", "held_on": "2026-06-01", "recipients": [{"stakeholder_id": "ann"}]}
        problem = await self.call("POST", "", 422, json=body | fields)
        return [(error["field"], error["code"]) for error in problem["errors"]]

    async def with_key(self, *scopes: str, owner_email: str | None = None) -> dict[str, str]:
        """The header of another key."""
        return bearer(await api_key(self.chain.environment, scopes, owner_email))

    async def rows(self, sql: str, **params: Any) -> Sequence[RowMapping]:
        """Rows of outreach's schema."""
        async with self.database.read() as tx:
            return await tx.all(sql, **params)

    async def calls(self, account_id: str, like: str) -> Sequence[RowMapping]:
        """The calls of an account whose key begins so, in their order."""
        return await self.rows(
            "select key, service, method, path, body, due_at, state from outgoing where account_id = :account_id"
            " and key like :like order by entry",
            account_id=account_id,
            like=f"{like}%",
        )

    async def made_calls(self, account_id: str, like: str) -> None:
        """Make the waiting calls of an account, as the sender does."""
        for call in await self.calls(account_id, like):
            if call["state"] != "waiting":
                continue
            headers = {"Idempotency-Key": call["key"]}
            answer = await self.services.send(
                call["service"], call["method"], call["path"], self.key, json=call["body"], headers=headers
            )
            assert answer.is_success
            await self.write("update outgoing set state = 'sent' where key = :key", key=call["key"])

    async def write(self, sql: str, **params: Any) -> None:
        """Change outreach's schema."""

        async def change(tx: WriteTx) -> None:
            await tx.execute(sql, **params)

        await self.database.retrying(change)

    async def knows(self, account_id: str) -> None:
        """Wait until outreach and the scorer know an account."""

        async def known() -> bool:
            rows = await self.rows(
                "select account_id from accounts where account_id = :account_id", account_id=account_id
            )
            answer = await self.chain.scorer.get(f"/v1/accounts/{account_id}")
            return bool(rows) and answer.status_code == 200

        await eventually(known, timeout=60)


def _record(topic: Topic, name: str, data: EventData) -> Record:
    account_id: str = data.account_id  # type: ignore[attr-defined]
    return Record.of(topic, Event(uuid7(), name, "/tests", NOW, account_id, data))


def client(account_id: str, name: str, owner: str, **fields: Any) -> Record:
    """An account of an owner."""
    values: dict[str, Any] = {"event_id": uuid7(), "recorded_at": NOW} | fields
    data = AccountUpserted(
        account_id=account_id, name=name, tier="key", owner=Contact(name="Owner", email=owner), **values
    )
    return _record(DIRECTORY, ACCOUNT_UPSERTED, data)


def removed(account_id: str, owner: str) -> Record:
    """An account that was removed."""
    data = AccountRemoved(
        account_id=account_id,
        name="Gone",
        owner=Contact(name="Owner", email=owner),
        event_id=uuid7(),
        recorded_at=NOW + timedelta(seconds=1),
    )
    return _record(DIRECTORY, ACCOUNT_REMOVED, data)


def person(stakeholder_id: str, account_id: str = "acme") -> Record:
    """Somebody with a name and an address."""
    data = StakeholderUpserted(
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        name=PEOPLE[stakeholder_id],
        email=f"{stakeholder_id}@{account_id}.example",
        type="user",
        event_id=uuid7(),
        recorded_at=NOW,
    )
    return _record(DIRECTORY, STAKEHOLDER_UPSERTED, data)


def held(account_id: str, days: int) -> Record:
    """A business review so many days ago, told by somebody else."""
    data = ContextRecorded(
        event_id=uuid7(), account_id=account_id, kind="review_held", at=NOW - timedelta(days=days), recorded_at=NOW
    )
    return _record(CONTEXT_EVENTS, CONTEXT_RECORDED, data)


def answer(response_id: str, who: str, score: int, days: float, **fields: Any) -> Record:
    """An answer at acme so many days ago."""
    at = NOW - timedelta(days=days)
    return record_of(recorded(response_id, stakeholder_id=who, score=score, answered_at=at, quiet=days > 30, **fields))


ANSWERS = (
    answer("a0", "ann", 9, 150),
    answer("b0", "ben", 7, 150),
    answer("c0", "cid", 9, 150),
    answer("d0", "dee", 6, 150),
    answer("a1", "ann", 3, 2, comment="Ben Birch waits for days. Write to ann@acme.example. Ann Archer"),
    answer("b1", "ben", 9, 3, comment="Quicker than before."),
    answer("c1", "cid", 9, 4),
    answer("d1", "dee", 8, 5, comment="Fine."),
)


async def answered(chain: Chain) -> None:
    """Wait for all answers, and close the follow-up about Ann's with what was done."""

    async def opened() -> Any:
        found = await chain.get("/v1/follow-ups", "alerting", account_id="acme", kind="detractor")
        score = await chain.scorer.get("/v1/accounts/acme/score", params={"window": "365d"})
        counted = score.is_success and score.json()["stakeholder_count"] == len(PEOPLE)
        return counted and found["items"] and found["items"][0]

    follow_up = await eventually(opened, timeout=60)
    path = f"/v1/follow-ups/{follow_up['follow_up_id']}"
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("promise", {"what": "A driver for Ann Archer", "by": "2026-07-01T00:00:00Z"}),
        ("close", {"what_was_done": "Called ann at once.", "told_customer": True}),
    )
    for step, body in steps:
        done = await chain.alerting.post(f"{path}/{step}", json=body)
        assert done.is_success, done.text


@contextlib.asynccontextmanager
async def review_desk(environment: Environment) -> AsyncIterator[ReviewDesk]:
    """All of it, at `NOW`."""
    async with chained(environment) as chain:
        transport = ByPort(chain)
        urls: dict[ServiceName, str] = {"scorer": "http://127.0.0.1:8002", "alerting": "http://127.0.0.1:8003"}
        services = Services(urls, transport=transport)
        app = build(environment.common, chain.clock, transport)
        database = Database(environment.database_url, "outreach", pool_size=1)
        await publish(
            environment,
            client("acme", "Acme Logistics", KIM),
            client("bolt", "Bolt", LEE),
            *map(person, PEOPLE),
            *ANSWERS,
        )
        await answered(chain)
        async with running(app) as outreach:
            outreach.headers.update(bearer(await api_key(environment, SCOPES)))
            key = await api_key(environment, ("ingest", "read", "act"))
            desk = ReviewDesk(chain, outreach, database, services, key, await _published(outreach))
            await desk.knows("acme")
            await desk.knows("bolt")
            try:
                yield desk
            finally:
                await database.close()


async def _published(outreach: httpx.AsyncClient) -> str:
    """The survey for business reviews, from its template."""
    begun = await outreach.post(
        "/v1/surveys", json={"template": "review", "languages": ["en"], "us": "Fast Freight", "legal": LEGAL}
    )
    assert begun.status_code == 201, begun.text
    survey_id: str = begun.json()["survey_id"]
    published = await outreach.post(f"/v1/surveys/{survey_id}/publish")
    assert published.is_success, published.text
    return survey_id


def ask_ids(review: Any) -> list[UUID]:
    """The asks of a review as the API tells it."""
    return [UUID(recipient["ask_id"]) for recipient in review["recipients"]]
