"""Migrations, on a schema invented for it: one transaction a step, beside readers who hold locks, across releases."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from shared.db import migrate as migrations
from shared.db.migrate import PlannedStep, levels, migrate, plan
from shared.db.schemas import Level, Standing
from shared.errors import Halt, Unavailable
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.invented import SCHEMA, Invented, invented_schema
from tests.support.polling import eventually

ADD_TIER = "alter table accounts add column tier text not null default 'gold'"
BY_NAME = "create index accounts_by_name on accounts (name)"

pytestmark = pytest.mark.usefixtures("first")


@pytest.fixture
def invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invented]:
    with invented_schema(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
async def first(module_database_only: Environment, invented: Invented) -> None:
    """The schema at its first revision, with a row."""
    await ask(module_database_only, "drop schema if exists invented cascade")
    invented.revise(1, "create table accounts (account_id text primary key, name text)")
    assert await migrated(module_database_only) == Level(SCHEMA, None, None, ("invented_1",))
    await ask(module_database_only, "insert into invented.accounts values ('acme', 'Acme')")


async def migrated(environment: Environment, said: list[str] | None = None) -> Level:
    """Migrate the schema; its level before."""
    told: list[str] = []
    if said is not None:
        told = said
    [before] = await migrate(environment.database_url, (SCHEMA,), tell=told.append)
    return before


async def level(environment: Environment) -> Level:
    [found] = await levels(environment.database_url, (SCHEMA,))
    return found


async def ask(environment: Environment, statement: str) -> list[tuple[object, ...]]:
    async with connected(environment.database_url) as connection:
        return [tuple(row) for row in await connection.fetch(statement)]


@contextlib.asynccontextmanager
async def reader(environment: Environment) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that has read the table, and so keeps it from being altered until the block ends."""
    async with connected(environment.database_url) as connection, connection.transaction():
        await connection.fetch("table invented.accounts")
        yield connection


async def test_a_second_revision_keeps_what_stands_and_runs_once(
    module_database_only: Environment, invented: Invented
) -> None:
    invented.revise(2, ADD_TIER)
    assert (await level(module_database_only)).standing is Standing.BEHIND
    assert (await migrated(module_database_only)).found == "invented_1"
    assert (await migrated(module_database_only)).standing is Standing.CURRENT
    assert await ask(module_database_only, "select * from invented.accounts") == [("acme", "Acme", "gold")]
    assert await ask(module_database_only, "table invented.schema_version") == [("invented_2", "invented_1")]


async def test_each_revision_is_a_transaction_so_one_that_fails_leaves_those_before(
    module_database_only: Environment, invented: Invented
) -> None:
    invented.revise(2, ADD_TIER)
    invented.revise(3, "alter table accounts add column a int", "alter table accounts add column b int not null")
    with pytest.raises(Exception, match="contains null values"):
        await migrated(module_database_only)
    assert (await level(module_database_only)).found == "invented_2"
    assert await ask(module_database_only, "select * from invented.accounts") == [("acme", "Acme", "gold")]


async def test_a_reader_of_three_seconds_delays_one_step_and_undoes_none(
    module_database_only: Environment, invented: Invented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", (0.1, 0.2))
    invented.revise(2, "create table notes (note text)")
    invented.revise(3, ADD_TIER)
    said: list[str] = []
    async with reader(module_database_only):
        work = asyncio.create_task(migrated(module_database_only, said))
        await eventually(lambda: len(said) >= 3, timeout=20)
        assert (await level(module_database_only)).found == "invented_2", "the step before it stays"
        async with asyncio.timeout(10):  # in between others get at the table
            await ask(module_database_only, "update invented.accounts set name = 'Acme Ltd'")
    await work
    assert said[0] == "invented_3 got no lock within 1s, try 1 of 30: it is tried again"
    assert (await level(module_database_only)).standing is Standing.CURRENT


async def test_a_step_that_never_gets_its_lock_is_given_up_and_says_what_to_do(
    module_database_only: Environment, invented: Invented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(migrations, "TRIES", 2)
    invented.revise(2, "create table notes (note text)")
    invented.revise(3, ADD_TIER)
    async with reader(module_database_only):
        with pytest.raises(Unavailable, match=r"invented_3 got no lock in 2 tries.*pg_stat_activity.*tellback migrate"):
            await migrated(module_database_only)
    assert (await level(module_database_only)).found == "invented_2"


async def test_an_index_is_built_while_others_write_and_hold_locks(
    module_database_only: Environment, invented: Invented
) -> None:
    invented.revise(2, indexes=(BY_NAME,))
    said: list[str] = []
    async with connected(module_database_only.database_url) as writer:
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute("insert into invented.accounts values ('open', 'Open')")
        work = asyncio.create_task(migrated(module_database_only, said))
        await eventually(lambda: waits_for_locks(module_database_only), timeout=20)
        async with asyncio.timeout(10):
            await ask(module_database_only, "insert into invented.accounts values ('beside', 'Beside')")
        await transaction.commit()
    await work
    assert said == ["invented_2 builds the index accounts_by_name concurrently: services go on meanwhile"]
    assert await valid(module_database_only) == [(True,)]
    assert (await level(module_database_only)).standing is Standing.CURRENT


async def test_an_index_that_an_interrupted_build_left_invalid_is_made_anew(
    module_database_only: Environment, invented: Invented
) -> None:
    await ask(module_database_only, "insert into invented.accounts values ('other', 'Acme')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await ask(module_database_only, "create unique index concurrently accounts_by_name on invented.accounts (name)")
    assert await valid(module_database_only) == [(False,)]
    invented.revise(2, indexes=(BY_NAME,))
    await migrated(module_database_only)
    assert await valid(module_database_only) == [(True,)]
    [(definition,)] = await ask(module_database_only, "select pg_get_indexdef('invented.accounts_by_name'::regclass)")
    assert definition == "CREATE INDEX accounts_by_name ON invented.accounts USING btree (name)"


async def test_an_index_that_was_built_before_the_crash_is_kept(
    module_database_only: Environment, invented: Invented
) -> None:
    await ask(module_database_only, BY_NAME.replace("on accounts", "on invented.accounts"))
    [(before,)] = await ask(module_database_only, "select 'invented.accounts_by_name'::regclass::oid::int")
    invented.revise(2, indexes=(BY_NAME,))
    await migrated(module_database_only)
    assert await ask(module_database_only, "select 'invented.accounts_by_name'::regclass::oid::int") == [(before,)]


async def test_two_migrations_at_a_time_take_each_step_once(
    module_database_only: Environment, invented: Invented
) -> None:
    invented.revise(2, "alter table accounts add column tier text", "select pg_sleep(1)")
    invented.revise(3, indexes=(BY_NAME,))
    before = await asyncio.gather(*(migrated(module_database_only) for _ in range(3)))
    assert sorted(str(found.found) for found in before) == ["invented_1", "invented_3", "invented_3"]


async def test_a_plan_says_what_would_be_done_and_changes_nothing(
    module_database_only: Environment, invented: Invented
) -> None:
    invented.revise(2, ADD_TIER)
    invented.revise(3, indexes=(BY_NAME,))
    invented.revise(4, "alter table accounts drop column name", since=3)
    before = await catalogue(module_database_only)
    assert await plan(module_database_only.database_url, (SCHEMA,)) == [
        PlannedStep(SCHEMA, "invented_2", "Step 2.", True, ()),
        PlannedStep(SCHEMA, "invented_3", "Step 3.", True, ("accounts_by_name",)),
        PlannedStep(SCHEMA, "invented_4", "Step 4.", False, ()),
    ]
    assert await catalogue(module_database_only) == before
    await migrated(module_database_only)
    assert await plan(module_database_only.database_url, (SCHEMA,)) == []


async def test_a_plan_for_an_empty_database_makes_nothing_there(
    module_database_only: Environment, invented: Invented
) -> None:
    await ask(module_database_only, "drop schema invented cascade")
    [step] = await plan(module_database_only.database_url, (SCHEMA,))
    assert (step.revision, step.compatible) == ("invented_1", True)
    assert await ask(module_database_only, "select to_regnamespace('invented')::text") == [(None,)]


async def test_the_release_before_leaves_a_newer_schema_alone_where_it_works_with_it(
    module_database_only: Environment, invented: Invented
) -> None:
    invented.revise(2, ADD_TIER)
    await migrated(module_database_only)
    invented.forget(2)
    before = await migrated(module_database_only)
    assert (before.found, before.standing) == ("invented_2", Standing.AHEAD)
    assert await plan(module_database_only.database_url, (SCHEMA,)) == []
    assert await ask(module_database_only, "table invented.schema_version") == [("invented_2", "invented_1")]


async def test_the_release_before_refuses_a_newer_schema_that_it_does_not_work_with(
    module_database_only: Environment, invented: Invented
) -> None:
    invented.revise(2, "alter table accounts drop column name", since=2)
    await migrated(module_database_only)
    invented.forget(2)
    assert (await level(module_database_only)).standing is Standing.INCOMPATIBLE
    for work in (migrate, plan):
        with pytest.raises(Halt, match=r"is at invented_2.*up to invented_1.*new data folder") as refused:
            await work(module_database_only.database_url, (SCHEMA,))
        assert refused.value.code == "schema_ahead"


async def test_a_schema_of_a_build_that_noted_less_is_taken_over(
    module_database_only: Environment, invented: Invented
) -> None:
    await ask(module_database_only, "drop table invented.schema_version")
    await ask(module_database_only, "create table invented.schema_version (version_num text primary key)")
    await ask(module_database_only, "insert into invented.schema_version values ('invented_1')")
    assert (await level(module_database_only)).standing is Standing.CURRENT
    invented.revise(2, ADD_TIER)
    assert (await migrated(module_database_only)).found == "invented_1"
    assert await ask(module_database_only, "table invented.schema_version") == [("invented_2", "invented_1")]


async def waits_for_locks(environment: Environment) -> bool:
    """Whether a build of an index waits for the transactions that were open before it."""
    found = await ask(
        environment,
        "select 1 from pg_stat_activity where query like 'create index concurrently%' and wait_event_type = 'Lock'"
        " and datname = current_database()",
    )
    return bool(found)


async def valid(environment: Environment) -> list[tuple[object, ...]]:
    return await ask(
        environment, "select indisvalid from pg_index where indexrelid = 'invented.accounts_by_name'::regclass"
    )


async def catalogue(environment: Environment) -> list[tuple[object, ...]]:
    """What tables, columns and indexes there are, and who wrote them last."""
    return await ask(
        environment, "select oid::int, relname::text, xmin::text from pg_class where oid >= 16384 order by 1"
    )
