"""Outreach with surveys and asks for tests of the pages: people, links, and what was told of them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from fastapi import FastAPI

from services.outreach.app import build
from services.outreach.domain.documents import survey_document
from services.outreach.domain.surveys import Survey
from services.outreach.domain.templates import template_survey
from services.outreach.domain.tokens import Purpose, Tokens
from shared.clock import Clock
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running

SURVEY_ID = "srv_0198000000007000800000000000000a"
LINKS_LAST = timedelta(days=30)


@dataclass(frozen=True)
class Respondents:
    """Outreach in this process, and its tables."""

    app: FastAPI
    client: httpx.AsyncClient
    environment: Environment
    clock: Clock
    key: dict[str, str]

    @property
    def tokens(self) -> Tokens:
        """The tokens of links."""
        return Tokens([self.environment.common.secret_key.get_secret_value()])

    def link(self, ask_id: UUID) -> str:
        """The path of the page of an ask."""
        return f"/s/{self.tokens.made(Purpose.ASK, ask_id.bytes)}"

    def stop_link(self, address: str) -> str:
        """The path of the page on which an address objects."""
        return f"/u/{self.tokens.made(Purpose.UNSUBSCRIBE, self.tokens.address_hash(address).digest)}"

    async def post(self, link: str, **fields: str) -> httpx.Response:
        """Post a form."""
        return await self.client.post(link, data=fields)

    async def row(self, statement: str, *values: Any) -> dict[str, Any]:
        """The first row of a statement in outreach's schema, `{}` without one."""
        rows = await self.rows(statement, *values)
        if not rows:
            return {}
        return rows[0]

    async def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a statement in outreach's schema."""
        async with schema(self.environment) as connection:
            return [dict(row) for row in await connection.fetch(statement, *values)]

    async def asked(self, ask_id: UUID) -> dict[str, Any]:
        """The row of an ask."""
        return await self.row("select * from asks where ask_id = $1", ask_id)

    async def calls(self) -> list[dict[str, Any]]:
        """The calls that were queued, in their order, with their bodies read."""
        rows = await self.rows("select * from outgoing order by entry")
        return [row | {"body": json.loads(row["body"])} for row in rows]

    async def ask(self, survey_id: str = SURVEY_ID, *, version: int = 1, **columns: Any) -> UUID:
        """An ask whose link was handed over now, unless told otherwise; returns its id."""
        async with schema(self.environment) as connection:
            return await put_ask(connection, self.clock.now(), survey_id, version, **columns)

    async def forget(self) -> None:
        """Delete what a test has left; the survey stays."""
        # With all that hangs on asks: changes, mails, bounces.
        await self.rows(
            "truncate asks, outgoing, answers, contacts, suppressions, programme_objections, stakeholders, accounts"
            " cascade"
        )

    async def publish(self, survey: Survey, survey_id: str = SURVEY_ID, version: int = 1) -> None:
        """Publish a version of a survey."""
        async with schema(self.environment) as connection:
            await put_survey(connection, self.clock.now(), survey, survey_id, version)


@asynccontextmanager
async def schema(environment: Environment) -> AsyncIterator[asyncpg.Connection]:
    """A connection to outreach's schema."""
    async with connected(environment.database_url) as connection:
        await connection.execute("set search_path to outreach, public")
        yield connection


async def put_survey(
    connection: asyncpg.Connection, now: datetime, survey: Survey, survey_id: str = SURVEY_ID, version: int = 1
) -> None:
    """A published version of a survey."""
    document = json.dumps(survey_document(survey))
    await connection.execute(
        "insert into surveys (survey_id, name, draft, created_at, created_by, updated_at, updated_by)"
        " values ($1, $2, $3, $4, 'test', $4, 'test') on conflict do nothing",
        survey_id, survey.name, document, now,
    )  # fmt: skip
    await connection.execute(
        "insert into survey_versions (survey_id, version, document, published_at, published_by, changed_wordings)"
        " values ($1, $2, $3, $4, 'test', '[]')",
        survey_id, version, document, now,
    )  # fmt: skip


async def put_ask(
    connection: asyncpg.Connection, now: datetime, survey_id: str = SURVEY_ID, version: int = 1, **columns: Any
) -> UUID:
    """An ask whose link was handed over at `now`, unless `columns` say otherwise."""
    values: dict[str, Any] = {
        "ask_id": uuid4(), "survey_id": survey_id, "survey_version": version, "account_id": "acme",
        "stakeholder_id": "ada", "origin": "link", "state": "sent", "channel": "link", "handed_over": True,
        "created_at": now, "created_by": "test", "due_at": now, "sent_at": now, "closes_at": now + LINKS_LAST,
        "revision": 0, "open_days": 30, "reminders": 0, "unconfirmed": False,
    } | columns  # fmt: skip
    row = json.dumps(values, default=_as_text)
    await connection.execute("insert into asks select * from jsonb_populate_record(null::asks, $1)", row)
    ask_id: UUID = values["ask_id"]
    return ask_id


def _as_text(value: Any) -> str:
    """What JSON lacks, as PostgreSQL reads it."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return str(value)


def relationship() -> Survey:
    """The shipped survey about the relationship, of a company with all that the law wants."""
    survey = template_survey("relationship")
    legal = {"legal_name": "Supplier Ltd", "postal_address": "1 Quay Street, Leeds", "imprint_url": "https://s.example/i",
             "privacy_url": "https://s.example/p"}  # fmt: skip
    return replace(survey, us="Supplier", legal=replace(survey.legal, **legal))


@asynccontextmanager
async def respondents(
    environment: Environment, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Respondents]:
    """Outreach with the relationship survey; its settings are those of the process' environment, and it asks the other
    services by `transport`."""
    app = build(environment.common, clock, transport)
    async with running(app) as client:
        key = bearer(await api_key(environment, ("read", "act", "manage")))
        found = Respondents(app, client, environment, clock, key)
        await found.publish(relationship())
        yield found
