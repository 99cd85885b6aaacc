"""Migrated databases: new ones, and ones that are emptied and reused after tests that changed only rows."""

import contextlib
import hashlib
import io
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from shared.db.migrate import migrate

ROOT = Path(__file__).parents[2]
MIGRATIONS = (
    "shared/db/*.py",
    "shared/access/*.py",
    "shared/access/migrations/*.py",
    "services/*/migrations/*.py",
)
TEMPLATE_LOCK = 0x7E57
MOST = 75
"""The most databases of one process: 150 for the two workers of `make test`."""
FIRST_OWN_OID = 16384
"""Relations with a lower oid are PostgreSQL's own."""
# Of each catalog how many rows and the newest transaction: one of them differs whenever something was changed. pg_class
# changes with every truncate, so there it is what says more than where the rows are.
CATALOGS = """
select array[
    (select count(*) || '/' || sum(hashtext(concat(oid, relname, relacl, reloptions))) from pg_class where oid >= $1),
    (select concat(count(*), '/', max(xmin::text::bigint)) from pg_attribute where attrelid >= $1),
    (select concat(count(*), '/', max(xmin::text::bigint)) from pg_constraint),
    (select concat(count(*), '/', max(xmin::text::bigint)) from pg_trigger),
    (select concat(count(*), '/', max(xmin::text::bigint)) from pg_proc),
    (select concat(count(*), '/', max(xmin::text::bigint)) from pg_rewrite),
    (select concat(count(*), '/', max(xmin::text::bigint)) from pg_extension),
    (select concat(count(*), '/', max(xmin::text::bigint)) from pg_namespace where nspname !~ '^pg_'),
    (select concat(count(*), '/', max(xmin::text::bigint)) from pg_database where datname = current_database()),
    (select count(*)::text from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
        where datname = current_database()),
    (select count(*)::text from pg_largeobject_metadata)
]
"""
OTHER_CONNECTIONS = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
USED_TABLES = """
select relnamespace::regnamespace::text as schema, relname as name from pg_class
where oid >= $1 and relkind = 'r' and relpersistence <> 't'
and relnamespace <> 'pg_toast'::regnamespace and pg_relation_size(oid) > 0
"""
USED_SEQUENCES = """
select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) from pg_sequences
where last_value is not null
"""


async def migrated(postgres: str) -> str:
    """The migrated database that is the template of all others, made once for each content of the migrations."""
    digest = hashlib.sha256()
    for pattern in MIGRATIONS:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    name = f"template_{digest.hexdigest()[:16]}"
    async with connected(postgres) as connection:
        # Another run may be making it now. It is renamed last, so that this name stands for a complete database.
        await connection.execute("select pg_advisory_lock($1)", TEMPLATE_LOCK)
        if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
            draft = f"draft_{secrets.token_hex(6)}"
            await connection.execute(f"create database {draft}")
            await migrate(url_of(postgres, draft))
            await connection.execute(f"alter database {draft} rename to {name}")
    return name


@contextlib.asynccontextmanager
async def fresh_database(postgres: str, template: str | None = None) -> AsyncIterator[str]:
    """The URL of a new database, a copy of the template or of a migrated one; it is gone afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    template = template or await migrated(postgres)
    async with connected(postgres) as connection:
        await connection.execute(f"create database {name} template {template}")
    try:
        yield url_of(postgres, name)
    finally:
        async with connected(postgres) as connection:
            await connection.execute(f"drop database if exists {name} with (force)")


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection for the block."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def url_of(postgres: str, name: str) -> str:
    """The URL of another database of the same server."""
    return make_url(postgres).set(database=name).render_as_string(hide_password=False)


class _Database:
    """A database with its original state: its catalogs, and the rows of the migrations."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._catalogs: list[str] = []
        self._seeds: dict[tuple[str, str], bytes] = {}

    async def remember(self) -> None:
        """Store the present state as the original one."""
        async with connected(self.url) as connection:
            self._catalogs = await connection.fetchval(CATALOGS, FIRST_OWN_OID)
            for schema, table in await _used_tables(connection):
                rows = io.BytesIO()
                await connection.copy_from_table(table, schema_name=schema, output=rows, format="binary")
                self._seeds[schema, table] = rows.getvalue()

    async def empty(self) -> bool:
        """Restore the original rows; False when anything else was changed, which cannot be restored."""
        async with connected(self.url) as connection:
            await connection.execute(OTHER_CONNECTIONS)
            if await connection.fetchval(CATALOGS, FIRST_OWN_OID) != self._catalogs:
                return False
            async with connection.transaction():
                await connection.execute("set local session_replication_role = replica")  # without foreign keys
                used = [f'"{schema}"."{table}"' for schema, table in await _used_tables(connection)]
                await connection.execute(f"truncate {', '.join(used)} cascade")
                await connection.execute(USED_SEQUENCES)
                for (schema, table), rows in self._seeds.items():
                    await connection.copy_to_table(table, schema_name=schema, source=io.BytesIO(rows), format="binary")
        return True


class Databases:
    """The databases of one process. Making one takes longer than many a test, emptying one some milliseconds."""

    def __init__(self, postgres: str) -> None:
        self._postgres = postgres
        self._free: list[_Database] = []
        self._kept = contextlib.AsyncExitStack()
        self.made = 0
        """How many were made so far."""

    @contextlib.asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """The URL of a database with only the rows of the migrations, lent for the block."""
        used = self._free.pop() if self._free else await self._make()
        try:
            yield used.url
        finally:
            if await used.empty():
                self._free.append(used)

    async def close(self) -> None:
        """Drop all databases."""
        await self._kept.aclose()

    async def _make(self) -> _Database:
        if self.made == MOST:
            raise AssertionError(f"{MOST} databases in one process: tests change schemas, or hold many at a time")
        made = _Database(await self._kept.enter_async_context(fresh_database(self._postgres)))
        await made.remember()
        self.made += 1
        return made


async def _used_tables(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    """Schema and name of tables that have, or have had, rows."""
    return [(row["schema"], row["name"]) for row in await connection.fetch(USED_TABLES, FIRST_OWN_OID)]
