"""The reading side of the scorer in a test's hands: a world put into the tables, questions asked over HTTP."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from services.scorer.api import ROUTERS
from services.scorer.api.resources import Scorer
from services.scorer.api.stream_events import TOPICS
from services.scorer.settings import ScorerSettings
from shared.access.keystore import KeyStore
from shared.db.engine import Database
from shared.db.erasures import Journal
from shared.http.app import create_app
from shared.ids import uuid7
from shared.kafka.tail import Tail
from tests.integration.scorer.writing import SUBJECT
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running
from tests.support.reference.world import World

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TABLES = (
    "responses, response_answers, invitations, context_marks, accounts, stakeholders, parked, dirty_accounts,"
    " snapshots, account_counts, latest_pairs, months_valid"
)


@dataclass(frozen=True)
class Plumbing:
    """As much of a service's plumbing as reading needs."""

    database: Database
    keys: KeyStore

    async def not_ready(self) -> list[str]:
        """It always is."""
        return []

    async def remarks(self) -> list[str]:
        """Nothing reads beside it."""
        return []

    def shut(self) -> None:
        """It never is."""


@dataclass(frozen=True)
class Reader:
    """A caller of the scorer API with a key that reads, and the tables behind it."""

    environment: Environment
    client: httpx.AsyncClient
    tables: asyncpg.Connection
    clock: FrozenClock

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        """Ask; parameters that are None are not sent."""
        sent = {name: _text(value) for name, value in parameters.items() if value is not None}
        return await self.client.get(path, params=sent)

    async def body(self, path: str, **parameters: Any) -> Any:
        """The body of a 200."""
        response = await self.get(path, **parameters)
        assert response.status_code == 200, response.text
        return response.json()

    async def items(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.body(path, **parameters, cursor=cursor)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def code(self, path: str, status: int, **parameters: Any) -> str:
        """The code of a problem: of the parameter at fault where there is one."""
        response = await self.get(path, **parameters)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        problem = response.json()
        code: str = problem["errors"][0]["code"] if problem.get("errors") else problem["code"]
        return code

    async def limited_to(self, owner_email: str) -> "Reader":
        """A reader with a key that is limited to the accounts of one owner."""
        key = await api_key(self.environment, ["read"], owner_email)
        client = httpx.AsyncClient(transport=self.client._transport, base_url=self.client.base_url, headers=bearer(key))
        return Reader(self.environment, client, self.tables, self.clock)

    async def put(self, world: World) -> None:
        """Make this world the only one there is."""
        await self.tables.execute(f"truncate {TABLES}")
        await insert(self.tables, world)
        await self.tables.executemany(
            "insert into dirty_accounts (account_id, dirty_since) values ($1, $2)",
            [(account_id, NOW) for account_id in world.account_ids()],
        )


@contextlib.asynccontextmanager
async def reading(environment: Environment) -> AsyncIterator[Reader]:
    """The scorer's routes on the environment's database, without its consumer, at `NOW`."""
    clock = FrozenClock(NOW)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(environment.database_url, "scorer")
        app.state.plumbing = Plumbing(database, KeyStore(database, clock))
        tail = Tail(environment.kafka, environment.topic_prefix, TOPICS)
        app.state.service = Scorer(clock, database, ScorerSettings(), tail, Journal(SUBJECT))
        yield
        await database.close()

    app = create_app("scorer", "Reading", "The reading side.", ROUTERS, lifespan, clock=clock)
    tables = await asyncpg.connect(environment.database_url, server_settings={"search_path": "scorer,public"})
    try:
        async with running(app) as client:
            client.headers.update(bearer(await api_key(environment, ["read"])))
            yield Reader(environment, client, tables, clock)
    finally:
        await tables.close()


async def insert(tables: asyncpg.Connection, world: World) -> None:
    """Write a world into the scorer's tables as its consumer would leave them."""
    await _rows(tables, "accounts", [_account(client) for client in world.clients])
    await _rows(tables, "stakeholders", [_person(person) for person in world.people])
    await _rows(tables, "responses", [_response(submission) for submission in world.submissions])
    await _rows(
        tables,
        "response_answers",
        [
            {
                "response_id": submission.response_id,
                "question_id": entry.question_id,
                "position": position,
                "account_id": submission.account_id,
                "stakeholder_id": submission.stakeholder_id,
                "answered_at": submission.answered_at,
                "type": entry.type,
                "attribute": entry.attribute,
                "value_number": entry.value,
            }
            for submission in world.submissions
            for position, entry in enumerate(submission.entries)
        ],
    )
    await _rows(tables, "invitations", [vars(invite) | {"recorded_at": NOW} for invite in world.invites])


OF_ACCOUNTS: dict[str, Any] = {
    "products": ["tracking"],
    "attributes": {"a": 1},
    "closed_on": None,
    "time_zone": "Europe/Paris",
    "language": "fr",
    "customer_since": "2019-04-01",
    "do_not_ask": {"until": "2026-09-30", "reason": "Claim in court"},
}
OF_PEOPLE: dict[str, Any] = {"time_zone": "Europe/Rome", "mail_permission": "refused"}
"""What the records of all accounts and of all people say beside their columns."""


def _account(client: Any) -> dict[str, Any]:
    return {
        "account_id": client.account_id,
        "name": client.name,
        "industry": client.industry,
        "tier": client.tier,
        "region": client.region,
        "owner_email": client.owner,
        "revenue_amount": client.revenue,
        "revenue_currency": client.currency,
        "removed": client.removed,
        "renewal_on": client.renewal_on,
        "record": json.dumps(OF_ACCOUNTS | {"account_id": client.account_id}),
        "recorded_at": NOW,
        "event_id": uuid7(),
    }


def _person(person: Any) -> dict[str, Any]:
    return {
        "account_id": person.account_id,
        "stakeholder_id": person.stakeholder_id,
        "type": person.type,
        "job_level": person.job_level,
        "removed": person.removed,
        "record": json.dumps(OF_PEOPLE),
        "recorded_at": NOW,
        "event_id": uuid7(),
    }


def _response(submission: Any) -> dict[str, Any]:
    row = {name: value for name, value in vars(submission).items() if name != "entries"}
    return row | {"recorded_at": submission.answered_at, "updated_at": submission.answered_at}


async def _rows(tables: asyncpg.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    places = ", ".join(f"${number + 1}" for number in range(len(names)))
    statement = f"insert into {table} ({', '.join(names)}) values ({places})"  # noqa: S608 (names of this module)
    await tables.executemany(statement, [[row[name] for name in names] for row in rows])


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
