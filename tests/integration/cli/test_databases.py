"""A reused database holds no rows of its last user, or it is not reused."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.databases import Databases, connected

TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables where schemaname !~ '^(pg_|information_schema)'
"""
NOTICE = """
insert into alerting.account_sequences values ('acme', 1);
insert into alerting.webhook_endpoints (endpoint_id, url, created_by, created_at, updated_at)
    values ('e1', 'https://crm.example', 'ana', now(), now());
insert into alerting.webhook_secrets (endpoint_id, sealed, created_at) values ('e1', '', now());
"""
CHANGES = (
    "alter table dashboard.users drop column name",
    "alter table alerting.tasks drop constraint tasks_state_check",
    "create index on alerting.tasks (score)",
    "create table public.mine (id int)",
    "create function breaks() returns int language sql as 'select 1'",
    "grant select on alerting.tasks to public",
    "alter table alerting.tasks disable trigger all",
    "alter table alerting.tasks set (fillfactor = 50)",
    "do $$ begin execute format('alter database %I set work_mem = 64', current_database()); end $$",
    "select lo_create(0)",
)


@pytest.fixture
async def pool(postgres_url: str) -> AsyncIterator[Databases]:
    """Databases of this test's own."""
    found = Databases(postgres_url)
    yield found
    await found.close()


async def state(url: str) -> dict[str, object]:
    """Rows by table, whether the sequences were used, and the benchmark sets of the migrations."""
    async with connected(url) as connection:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        rows = {table: len(await connection.fetch(f"table {table}")) for table in tables}
        used = await connection.fetchval("select count(*) from pg_sequences where last_value is not null")
        sets = await connection.fetch("select b::text from benchmark.benchmarks b order by set_id, industry")
    return rows | {"sequences": used, "sets": [row[0] for row in sets]}


async def test_a_database_is_used_again_with_the_rows_of_the_migrations_alone(pool: Databases) -> None:
    async with pool.lent() as url:
        before = await state(url)
        async with connected(url) as connection:
            await connection.execute(NOTICE)
            await connection.execute("delete from benchmark.benchmarks; update benchmark.benchmark_sets set year = 1")
            with pytest.raises(asyncpg.NotNullViolationError):
                await connection.execute("insert into alerting.task_history (action) values ('rolled back')")
        assert await state(url) != before
    async with pool.lent() as again:
        assert (again, await state(again), pool.made) == (url, before, 1)


async def test_two_at_a_time_have_two(pool: Databases) -> None:
    async with pool.lent() as first, pool.lent() as second:
        assert first != second


async def test_whoever_is_still_connected_is_cut_off(pool: Databases) -> None:
    async with pool.lent() as url:
        left = await asyncpg.connect(url)
        await left.execute("begin; select pg_advisory_xact_lock(1); lock table alerting.tasks")
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await left.execute("select 1")
    assert pool.made == 1


async def test_a_database_whose_schema_was_changed_is_not_used_again(pool: Databases) -> None:
    seen = set()
    for change in CHANGES:
        async with pool.lent() as url, connected(url) as connection:
            assert url not in seen, "the change before this one went unseen"
            seen.add(url)
            await connection.execute(change)
    async with pool.lent() as last:
        assert last not in seen
