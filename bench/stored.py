"""A scorer's database as it stands after much has been said: answers, people, invitations and ratings, all projected.

A hundred responses an account over 400 days, ten people each, of whom a third decide; one in five came by an
invitation, one in four has a comment, one in five rates two attributes. The same seed gives the same portfolio.
"""

import random
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from services.scorer import SCHEMA
from services.scorer.handlers.projection import Projector
from services.scorer.jobs import MonthKeeper, ProjectorJob
from services.scorer.settings import ScorerSettings
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.ids import uuid7
from tests.support import databases

INDUSTRIES = ("facilities_management", "contract_catering", "logistics", "manufacturing", "bpo", "it_services")
TIERS, REGIONS = ("small", "key", "premium"), ("EMEA", "APAC", "Americas")
TYPES = ("decision_maker", "user", "influencer")
OWNERS = tuple(f"owner-{number}@supplier.example" for number in range(50))
ATTRIBUTES = ("reliability", "communication", "responsiveness", "value_for_money", "ease")
COMMENTS = (
    "Support answers quickly and knows our set-up.",
    "Invoices are hard to read and the portal is slow.",
    "Delivery was late again, nobody called us back.",
    "Good value for money, we would like a roadmap.",
)
RESPONSES_AN_ACCOUNT, PEOPLE, DAYS, BATCH = 100, 10, 400, 50_000


def account_ids(responses: int) -> list[str]:
    """The accounts that so many responses are of."""
    return [f"account-{number}" for number in range(max(1, responses // RESPONSES_AN_ACCOUNT))]


async def template(postgres: str, accounts: int, responses: int) -> str:
    """The name of a database with so much in it, to be copied from; made once a server and state of the schema."""
    base = await databases.migrated(postgres)
    name = f"stored_{accounts}_{responses}_{base.rpartition('_')[2]}"
    connection = await asyncpg.connect(postgres)
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
            draft = f"draft_{secrets.token_hex(6)}"
            await connection.execute(f"create database {draft} template {base}")
            url = databases.url_of(postgres, draft)
            await load(url, [f"account-{number}" for number in range(accounts)], responses)
            await project(url)
            await _told(url)
            await connection.execute(f"alter database {draft} rename to {name}")
    finally:
        await connection.close()
    return name


async def _told(database_url: str) -> None:
    """Whatever the load brought about was told long ago: nothing is on its way when a run begins."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": SCHEMA})
    try:
        await connection.execute("truncate outbox")
    finally:
        await connection.close()


async def load(database_url: str, accounts: Sequence[str], responses: int) -> None:
    """Put answers, accounts, people and invitations where the consumer would, and mark every account."""
    chance, now = random.Random(7), datetime.now(UTC)
    connection = await asyncpg.connect(database_url, server_settings={"search_path": SCHEMA})
    try:
        await _copy(connection, "accounts", [_account(chance, account, now) for account in accounts])
        await _copy(connection, "stakeholders", [row for account in accounts for row in _people(chance, account, now)])
        for first in range(0, responses, BATCH):
            said = [_response(chance, accounts, now) for _ in range(min(BATCH, responses - first))]
            await _copy(connection, "responses", said)
            await _copy(connection, "response_answers", [row for answer in said for row in _ratings(chance, answer)])
            await _copy(connection, "invitations", [_invitation(answer) for answer in said if answer["invitation_id"]])
        await connection.execute(
            "insert into dirty_accounts (account_id, dirty_since) select account_id, now() from accounts"
        )
        await connection.execute("analyze")
    finally:
        await connection.close()


async def project(database_url: str) -> dict[str, float]:
    """Take every mark, as the projector does, count the months that have ended, then tidy up, as autovacuum would in
    its own time; returns how many seconds each took."""
    took: dict[str, float] = {}
    began = time.perf_counter()
    database = Database(database_url, SCHEMA, pool_size=2)
    try:
        job = ProjectorJob(
            database, SystemClock(), Projector(database, SystemClock(), ScorerSettings().policy()), 100, lambda: None
        )
        while await job.project_once():
            pass
        took["projected"] = time.perf_counter() - began
        keeper = MonthKeeper(database, SystemClock())
        while await keeper.keep_once():
            pass
        took["months counted"] = time.perf_counter() - began - took["projected"]
    finally:
        await database.close()
    connection = await asyncpg.connect(database_url, server_settings={"search_path": SCHEMA})
    await connection.execute("vacuum analyze")
    await connection.close()
    return took | {"vacuumed": time.perf_counter() - began - sum(took.values())}


def _account(chance: random.Random, account_id: str, now: datetime) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "name": account_id.title(),
        "industry": chance.choice(INDUSTRIES),
        "tier": chance.choice(TIERS),
        "region": chance.choice(REGIONS),
        "revenue_amount": chance.randrange(10**6),
        "revenue_currency": "EUR",
        "renewal_on": date(2027, 1 + chance.randrange(12), 1),
        "owner_email": chance.choice(OWNERS),
        "record": "{}",
        "recorded_at": now,
        "event_id": uuid7(),
    }


def _people(chance: random.Random, account_id: str, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(PEOPLE):
        yield {
            "account_id": account_id,
            "stakeholder_id": f"person-{number}",
            "name": f"Person {chance.randrange(10**6)}",
            "type": chance.choice(TYPES),
            "record": "{}",
            "recorded_at": now,
            "event_id": uuid7(),
        }


def _response(chance: random.Random, accounts: Sequence[str], now: datetime) -> dict[str, Any]:
    at = now - timedelta(seconds=chance.randrange(DAYS * 86_400))
    return {
        "response_id": str(uuid7()),
        "account_id": chance.choice(accounts),
        "stakeholder_id": f"person-{chance.randrange(PEOPLE)}",
        "survey_type": "nps",
        "score": min(10, max(0, round(chance.gauss(7.5, 2.2)))),
        "comment": chance.choice(COMMENTS) if chance.random() < 0.25 else None,
        "answered_at": at,
        "recorded_at": at,
        "nps_kind": "relationship",
        "channel": "email",
        "invitation_id": str(uuid7()) if chance.random() < 0.2 else None,
        "updated_at": at,
        "quiet": True,
    }


def _ratings(chance: random.Random, said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if chance.random() >= 0.2:
        return
    for position, attribute in enumerate(chance.sample(ATTRIBUTES, 2)):
        yield {
            **{name: said[name] for name in ("response_id", "account_id", "stakeholder_id", "answered_at")},
            "question_id": attribute,
            "position": position,
            "type": "rating",
            "attribute": attribute,
            "value_number": min(5, max(1, said["score"] // 2 + chance.choice((-1, 0, 1)))),
        }


def _invitation(said: dict[str, Any]) -> dict[str, Any]:
    sent_at = said["answered_at"] - timedelta(days=2)
    return {
        **{name: said[name] for name in ("account_id", "invitation_id", "stakeholder_id", "channel")},
        **dict.fromkeys(("sent_at", "delivered_at", "recorded_at", "silent_at"), sent_at),
    }


async def _copy(connection: asyncpg.Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        columns = list(rows[0])
        records = [tuple(row.values()) for row in rows]
        await connection.copy_records_to_table(table, columns=columns, records=records)
