"""The SQL views: what they show, and that their role sees nothing else and writes nothing."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import asyncpg
import pytest
from sqlalchemy import make_url

from shared.db.migrate import migrate
from shared.topics import ACCOUNT_SCORE_CHANGED
from tests.integration.scorer.writing import account, invited, person, withdrawn, writer
from tests.support.clock import FrozenClock
from tests.support.databases import fresh_database, migrated
from tests.support.environment import NO_KAFKA, Environment, fresh_environment
from tests.support.events import NOW, recorded

HOW_TO = Path(__file__).parents[3] / "docs/tableau-and-power-bi.md"
FIGURES = (
    *("nps", "promoter_count", "passive_count", "detractor_count", "response_count", "stakeholder_count"),
    *("ci_low", "ci_high", "change", "significant", "response_rate"),
)
VIEWS = ("accounts", "stakeholders", "responses", "answers", "invitations", "account_scores", "context_events")
TIME_OUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
OPEN = """
    select p.proname as name from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as granted
    where (p.proname like '%advisory%lock%' or p.proname similar to 'lo(\\_%|read|write)')
    and granted.grantee = 0 and granted.privilege_type = 'EXECUTE'
"""
BEFORE = """
    alter role tellback_analytics rename to another_name;
    grant execute on function pg_advisory_lock(bigint) to public;
"""
"""As a server is where the user of the migrations could change neither roles nor what everybody may do."""


@pytest.fixture
async def filled(postgres_url: str) -> AsyncIterator[Environment]:
    """A database with a few events in it."""
    async with fresh_environment(NO_KAFKA, postgres_url, topics=False) as environment:
        async with writer(environment, FrozenClock(NOW + timedelta(minutes=5))) as rows:
            await rows.take(
                account(industry="logistics"),
                person("ann", type="user"),
                invited("sent", "i1", NOW - timedelta(days=1)),
                recorded("r1", score=3, answered_at=NOW - timedelta(days=2)),
                recorded("r2", score=9, comment="fine"),
                recorded("r3", score=1, test=True),
                recorded("r4", score=0),
                withdrawn("r4"),
            )
            await rows.project()
        yield environment


@pytest.fixture
async def analyst(filled: Environment) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who has the role and nothing else."""
    name, password = f"analyst_{secrets.token_hex(4)}", secrets.token_hex(8)
    owner = await asyncpg.connect(filled.database_url)
    await owner.execute(f"create role {name} login password '{password}' in role tellback_analytics")
    url = make_url(filled.database_url).set(username=name, password=password)
    try:
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await owner.execute(f"drop role {name}")
        await owner.close()


async def test_views_show_what_counts(analyst: asyncpg.Connection) -> None:
    responses = await analyst.fetch("select * from analytics.responses order by answered_at")
    assert [(row["response_id"], row["category"], row["nps_factor"], row["is_latest"]) for row in responses] == [
        ("r1", "detractor", -1, False),
        ("r2", "promoter", 1, True),
    ]
    # The score of a group is 100 times the mean of the factors of its latest answers.
    nps = await analyst.fetchval(
        "select 100 * avg(nps_factor) from analytics.responses r join analytics.accounts a using (account_id)"
        " where is_latest and a.industry = 'logistics'"
    )
    score = await analyst.fetchrow(
        "select * from analytics.account_scores where score_window = '90d' and method = 'latest'"
    )
    assert score is not None
    assert (score["nps"], float(nps), score["response_count"]) == (100.0, 100.0, 1)
    assert await analyst.fetchval("select count(*) from analytics.invitations") == 1


async def test_the_view_of_scores_shows_what_was_told(filled: Environment, analyst: asyncpg.Connection) -> None:
    random = Random(5)
    async with writer(filled, FrozenClock(NOW)) as rows:
        # Enough people on both sides of a month that some changes are significant.
        await rows.take(
            *(
                recorded(
                    f"many-{number}",
                    "many",
                    stakeholder_id=f"p{random.randrange(30)}",
                    score=random.choice((9, 10, 8) if number % 2 else (0, 5, 7, 9)),
                    answered_at=NOW - timedelta(days=random.randrange(30) + (0 if number % 2 else 30)),
                    recorded_at=NOW,
                )
                for number in range(120)
            )
        )
        await rows.project()
        told = {event.data.account_id: event.data.figures for event in await rows.published(ACCOUNT_SCORE_CHANGED)}  # type: ignore[attr-defined]
    shown = await analyst.fetch("select * from analytics.account_scores")
    assert {(row["account_id"], row["score_window"], row["method"]) for row in shown} == {
        (account_id, window, method)
        for account_id, figures in told.items()
        for window, methods in figures.items()
        for method in methods
    }
    for row in shown:
        figures = told[row["account_id"]][row["score_window"]][row["method"]]
        last_at, previous = figures["last_answered_at"], figures["previous"]
        expected = {name: figures[name] for name in FIGURES} | {
            "previous_nps": previous["nps"] if previous else None,
            "last_answered_at": datetime.fromisoformat(last_at) if last_at else None,
        }
        assert {name: row[name] for name in expected} == expected
    assert any(row["significant"] for row in shown)


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_can_be_read_by_the_role(analyst: asyncpg.Connection, view: str) -> None:
    assert await analyst.fetch(f"select * from analytics.{view}") is not None  # noqa: S608 - a name from above


@pytest.mark.parametrize(
    "statement",
    [
        "select * from scorer.responses",
        "select * from access.api_keys",
        "select * from alerting.endpoints",
        "delete from analytics.responses",
        "update analytics.accounts set name = 'x'",
        "create table analytics.mine (id int)",
        "select pg_advisory_lock(1)",
        "select pg_advisory_xact_lock_shared(1, 2)",
        "select pg_try_advisory_lock(1)",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "select lowrite(0, 'x')",
    ],
)
async def test_the_role_can_do_nothing_else(analyst: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await analyst.execute(statement)


async def test_no_advisory_lock_or_large_object_is_left_to_everybody(filled: Environment) -> None:
    owner = await asyncpg.connect(filled.database_url)
    try:
        assert await owner.fetch(OPEN) == []
        await owner.execute("grant execute on function lo_create(oid) to public")
        assert len(await owner.fetch(OPEN)) == 1, "what is open is found"
    finally:
        await owner.close()


async def test_the_role_may_make_no_temporary_tables(postgres_url: str) -> None:
    template = await migrated(postgres_url)  # what may be done in a database as such is not copied with it
    owner = await asyncpg.connect(postgres_url)
    allowed = "select has_database_privilege($1, $2, 'temporary')"
    try:
        assert await owner.fetchval(allowed, "tellback_analytics", template) is False
    finally:
        await owner.close()


async def test_a_login_of_the_role_has_time_outs(filled: Environment) -> None:
    owner = await asyncpg.connect(filled.database_url)
    password = secrets.token_hex(8)
    await owner.execute(f"alter role tellback_analytics login password '{password}'")
    url = make_url(filled.database_url).set(username="tellback_analytics", password=password)
    try:
        analyst = await asyncpg.connect(url.render_as_string(hide_password=False))
        shown = [await analyst.fetchval(f"show {name}") for name in TIME_OUTS]
        await analyst.close()
    finally:
        await owner.execute("alter role tellback_analytics nologin password null")
        await owner.close()
    assert shown == ["5min", "5s", "1min"]


async def test_a_database_is_migrated_while_another_of_the_server_sets_limits_of_the_role(
    postgres_url: str,
) -> None:
    await migrated(postgres_url)  # so that the role is there
    other = await asyncpg.connect(postgres_url)
    try:
        async with fresh_database(postgres_url, "template0") as url, asyncio.timeout(60):
            setting = other.transaction()
            await setting.start()
            await other.execute("alter role tellback_analytics set statement_timeout = '5min'")
            await migrate(url)
            await setting.rollback()
    finally:
        await other.close()


async def test_there_are_no_other_views(analyst: asyncpg.Connection) -> None:
    rows = await analyst.fetch("select viewname from pg_views where schemaname = 'analytics'")
    assert sorted(row["viewname"] for row in rows) == sorted(VIEWS)


async def test_what_the_how_to_says_works(filled: Environment, analyst: asyncpg.Connection) -> None:
    blocks = re.findall(r"```sql\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    (login,) = (block for block in blocks if "login password" in block)
    (by_hand,) = (block for block in blocks if "nologin" in block)
    (question,) = (block for block in blocks if "select a.industry" in block)
    assert len(blocks) == 3
    owner = await asyncpg.connect(filled.database_url)
    try:
        for statements in (login, f"{BEFORE}{by_hand}"):
            trial = owner.transaction()  # roles belong to the whole server: nothing of this stays
            await trial.start()
            await owner.execute(statements)
            assert await owner.fetch(OPEN) == []
            await trial.rollback()
    finally:
        await owner.close()
    assert [tuple(row) for row in await analyst.fetch(question)] == [("logistics", 100, 1)]
