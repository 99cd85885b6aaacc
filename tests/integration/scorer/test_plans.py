"""How PostgreSQL answers the main questions when there are many answers: by an index, not by going through them all."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from services.scorer.domain.projection import Policy
from services.scorer.handlers.projection import Projector
from services.scorer.jobs import ProjectorJob
from services.scorer.store import dirty_accounts
from services.scorer.store.projection import read_accounts
from shared.db.engine import Database
from tests.integration.scorer.reading import NOW, Reader, reading
from tests.support.environment import Environment

ACCOUNTS, PEOPLE, ANSWERS_EACH = 1_000, 10, 10
"""100,000 answers."""
LARGE = frozenset(("responses", "response_answers", "invitations", "latest_pairs"))
"""Tables with a row for every answer, or for every person: none of the main questions may go through all of it."""
FILL = (
    "insert into accounts (account_id, name, industry, tier, region, owner_email, recorded_at, event_id, record)"
    " select 'a' || n, 'Client ' || n, (array['logistics', 'retail', 'energy'])[n % 3 + 1], 'key', 'emea',"
    " 'kim@supplier.example', $1, gen_random_uuid(), '{}' from generate_series(1, $2::int) n",
    "insert into responses (response_id, account_id, stakeholder_id, survey_type, score, answered_at, recorded_at,"
    " nps_kind, updated_at)"
    " select 'r' || n || '-' || p || '-' || k, 'a' || n, 'p' || p, 'nps', (n + p * k) % 11,"
    " $1::timestamptz - make_interval(days => k * 30, mins => p), $1, 'relationship', $1"
    " from generate_series(1, $2::int) n, generate_series(1, $3::int) p, generate_series(1, $4::int) k",
)
FILL_BESIDE = (
    "insert into response_answers (response_id, question_id, position, account_id, stakeholder_id, answered_at, type,"
    " value_number) select response_id, 'q', 0, account_id, stakeholder_id, answered_at, 'rating', 4 from responses",
    "insert into invitations (account_id, invitation_id, stakeholder_id, sent_at, recorded_at)"
    " select account_id, 'i' || response_id, stakeholder_id, answered_at, recorded_at from responses",
)
"""An empty table is gone through whatever the question."""
QUESTIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "one account": ("/v1/accounts/a7", {"window": "90d"}),
    "its score": ("/v1/accounts/a7/score", {"window": "90d"}),
    "its trend": ("/v1/accounts/a7/trend", {"window": "90d"}),
    "its people": ("/v1/accounts/a7/stakeholders", {}),
    "its answers": ("/v1/responses", {"account_id": "a7"}),
    "one person": ("/v1/accounts/a7/stakeholders/p3", {}),
    "what a copy lacks": ("/v1/responses", {"updated_since": "2100-01-01T00:00:00Z"}),
    "what a copy of one account lacks": (
        "/v1/responses",
        {"account_id": "a7", "updated_since": "2100-01-01T00:00:00Z"},
    ),
    "one answer": ("/v1/responses/r7-1-1", {}),
    "why a figure is what it is": ("/v1/explain", {"account_id": "a7", "window": "90d"}),
    "the accounts that fell most": ("/v1/accounts", {"sort": "change", "window": "90d"}),
    "the portfolio by industry": ("/v1/portfolio/score", {"group_by": "industry", "window": "90d"}),
    "what changed": ("/v1/changes", {}),
}

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
async def filled(module_environment: Environment) -> AsyncIterator[Reader]:
    """A reader of 100,000 answers, all of them projected."""
    async with reading(module_environment) as reader:
        accounts, answers = FILL
        await reader.tables.execute(accounts, NOW, ACCOUNTS)
        await reader.tables.execute(answers, NOW, ACCOUNTS, PEOPLE, ANSWERS_EACH)
        for beside in FILL_BESIDE:
            await reader.tables.execute(beside)
        await reader.tables.execute(
            "insert into dirty_accounts (account_id, dirty_since) select account_id, $1 from accounts", NOW
        )
        await reader.tables.execute("analyze")
        database = database_of(reader)
        job = ProjectorJob(database, reader.clock, Projector(database, reader.clock, Policy()), 200, lambda: None)
        while await job.project_once():
            pass
        await reader.tables.execute("analyze")
        yield reader


def database_of(reader: Reader) -> Database:
    """The database that the reader's application asks."""
    database: Database = reader.client._transport.app.state.service.database  # type: ignore[attr-defined]
    return database


class Heard:
    """The statements that a database is asked, with their parameters."""

    def __init__(self, database: Database) -> None:
        self.statements: list[tuple[str, tuple[Any, ...]]] = []
        self._engine = database.engine.sync_engine

    def __enter__(self) -> "Heard":
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        self.statements.append((statement, tuple(parameters)))


async def gone_through(tables: asyncpg.Connection, heard: Heard) -> set[str]:
    """The large tables that any of the statements goes through from the first row to the last."""
    found: set[str] = set()
    for statement, parameters in heard.statements:
        plan = json.loads(await tables.fetchval(f"explain (format json) {statement}", *parameters))
        found |= {node["Relation Name"] for node in nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"}
    return found & LARGE


async def looked_up(tables: asyncpg.Connection, heard: Heard) -> list[str]:
    """What the statements look up in indexes."""
    found: list[str] = []
    for statement, parameters in heard.statements:
        plan = json.loads(await tables.fetchval(f"explain (format json) {statement}", *parameters))
        found += [node.get("Index Cond", "") for node in nodes(plan[0]["Plan"])]
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's steps, from the outermost on."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_is_answered_by_an_index(filled: Reader, question: str) -> None:
    path, asked = QUESTIONS[question]
    with Heard(database_of(filled)) as heard:
        assert (await filled.client.get(path, params=asked)).status_code == 200
    assert heard.statements
    assert await gone_through(filled.tables, heard) == set()


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/changes"])
async def test_what_a_person_said_is_found_by_the_index_of_people(filled: Reader, path: str) -> None:
    with Heard(database_of(filled)) as heard:
        answer = await filled.client.get(path, params={"account_id": "a7", "stakeholder_id": "p3"})
    assert len(answer.json()["items"]) > 1
    conditions = await looked_up(filled.tables, heard)
    assert any("stakeholder_id = COALESCE" in condition for condition in conditions)


async def test_the_projector_reads_its_accounts_by_an_index(filled: Reader) -> None:
    database = database_of(filled)
    with Heard(database) as heard:
        async with database.write() as tx:
            await dirty_accounts.mark(tx, {"a1": True, "a2": False}, NOW)
            claimed = await dirty_accounts.claim(tx, NOW, 10)
            assert sorted(claimed) == ["a1", "a2"]
            await read_accounts(tx, claimed)
            await tx.execute("delete from dirty_accounts")
    assert await gone_through(filled.tables, heard) == set()
