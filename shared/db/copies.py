"""Tables copied out of a database and into another one by COPY, in PostgreSQL's text format, which every major version
reads: what `tellback backup` and `tellback restore` stand on. Which tables there are is read from the catalogue."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from shared.db.engine import Database, translated
from shared.db.erasures import person_in
from shared.db.migrate import UNFINISHED
from shared.db.schemas import VERSION_TABLE, level_of
from shared.db.transaction import ReadTx, WriteTx
from shared.settings import CommonSettings

SETTINGS = {
    "application_name": "tellback-copies",
    "statement_timeout": "0",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "0",
    # How values are written as text.
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
}
"""Settings of PostgreSQL for a connection that copies."""
_TABLES = """
    select n.nspname as schema, c.relname as name, array(
        select cast(a.attname as text) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum
    ) as columns, array(
        select fn.nspname || '.' || f.relname from pg_constraint k join pg_class f on f.oid = k.confrelid
        join pg_namespace fn on fn.oid = f.relnamespace where k.contype = 'f' and k.conrelid = c.oid and f.oid <> c.oid
    ) as referred
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any(cast(:schemas as text[])) and c.relkind in ('r', 'p') and not c.relispartition
    order by 1, 2
"""
_SEQUENCES = """
    select schemaname as schema, sequencename as name, last_value as last from pg_sequences
    where schemaname = any(cast(:schemas as text[])) and last_value is not null order by 1, 2
"""
_IDS = """
    select c.table_schema as schema, c.table_name as name, c.column_name as column
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    join information_schema.columns a using (table_schema, table_name)
    where c.table_schema = any(cast(:schemas as text[])) and t.table_type = 'BASE TABLE'
    and a.column_name = 'account_id' and c.column_name in ('stakeholder_id', 'given_stakeholder_id', 'alias_id')
"""
_OTHERS = """
    select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    and application_name like 'tellback-%' and application_name <> :own
"""


@dataclass(frozen=True, slots=True)
class TableCopy:
    """A table and the columns that are copied."""

    schema: str
    name: str
    columns: tuple[str, ...]

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    def quoted_columns(self) -> str:
        """The columns as SQL."""
        return ", ".join(f'"{column}"' for column in self.columns)


@dataclass(frozen=True, slots=True)
class Counter:
    """A sequence and the last value that it gave."""

    schema: str
    name: str
    last: int


def database_of(common: CommonSettings) -> Database:
    """The database of an installation, for copying; one connection."""
    return Database.of(common, "public", pool_size=1, settings=SETTINGS)


class Snapshot:
    """One snapshot of all schemas: every table is as it was at the same moment, whatever is written meanwhile."""

    def __init__(self, tx: ReadTx) -> None:
        self.tx = tx

    async def server_version(self) -> str:
        """The version of PostgreSQL, such as 18.1."""
        return str(await self.tx.scalar("show server_version"))

    async def revisions(self, schemas: Collection[str]) -> dict[str, str]:
        """Schema -> the revision that it is at; schemas that are not there are left out."""
        found: dict[str, str] = {}
        for schema in schemas:
            level = await level_of(self.tx, schema)
            if level.found is not None:
                found[schema] = level.found
        return found

    async def tables(self, schemas: Collection[str]) -> list[TableCopy]:
        """The tables of the schemas, each after those that it refers to; without the table of revisions."""
        rows = await self.tx.all(_TABLES, schemas=list(schemas))
        tables: dict[str, TableCopy] = {}
        order: TopologicalSorter[str] = TopologicalSorter()
        for row in rows:
            table = TableCopy(row["schema"], row["name"], tuple(row["columns"]))
            if table.name != VERSION_TABLE:
                tables[table.label] = table
                order.add(table.label, *row["referred"])
        return [tables[label] for label in order.static_order()]

    async def counters(self, schemas: Collection[str]) -> list[Counter]:
        """The sequences that have given a value. They belong to no snapshot: what they say may be later than it."""
        return [Counter(**row) for row in await self.tx.all(_SEQUENCES, schemas=list(schemas))]

    async def write(self, table: TableCopy, output: Callable[[bytes], Awaitable[None]]) -> int:
        """Give out the rows of a table in pieces; returns how many there were."""
        driver = await _driver(self.tx)
        query = f'select {table.quoted_columns()} from "{table.schema}"."{table.name}"'
        with translated():
            status = await driver.copy_from_query(query, output=output, format="text")
        return int(status.split()[-1])


@asynccontextmanager
async def snapshot(common: CommonSettings) -> AsyncIterator[Snapshot]:
    """A snapshot for the block. Raises `DatabaseUnavailable`."""
    async with database_of(common) as database, database.read() as tx:
        yield Snapshot(tx)


async def schemas_there(tx: ReadTx, schemas: Collection[str]) -> list[str]:
    """Which of the schemas exist."""
    found = await tx.column(
        "select cast(nspname as text) from pg_namespace where nspname = any(cast(:schemas as text[])) order by 1",
        schemas=list(schemas),
    )
    return list(found)


async def others_connected(tx: ReadTx) -> int:
    """How many connections services of ours have to this database."""
    return int(await tx.scalar(_OTHERS, own=SETTINGS["application_name"]))


async def begin_filling(tx: WriteTx) -> None:
    """Mark the database as one that is being filled: until that ends nobody migrates it."""
    await tx.execute(f"create schema if not exists {UNFINISHED}")


async def end_filling(tx: WriteTx) -> None:
    """Take the mark away, in the transaction that has filled the database."""
    await tx.execute(f"drop schema if exists {UNFINISHED}")


async def within(tx: WriteTx, schema: str) -> None:
    """Let the following statements of the transaction find the tables of a schema by their names alone."""
    await tx.execute(f'set local search_path to "{schema}", public')


async def empty(tx: WriteTx, tables: Sequence[TableCopy]) -> None:
    """Delete the rows that migrations wrote."""
    names = ", ".join(f'"{table.schema}"."{table.name}"' for table in tables)
    await tx.execute(f"truncate {names}")


async def read(tx: WriteTx, table: TableCopy, source: AsyncIterator[bytes]) -> int:
    """Take in the rows of a table from pieces of text; returns how many there were."""
    driver = await _driver(tx)
    with translated():
        status = await driver.copy_to_table(
            table.name, schema_name=table.schema, columns=table.columns, source=source, format="text"
        )
    return int(status.split()[-1])


async def set_counters(tx: WriteTx, counters: Sequence[Counter]) -> None:
    """Let sequences go on behind these values."""
    for counter in counters:
        await tx.execute(
            "select setval(cast(format('%I.%I', cast(:schema as text), cast(:name as text)) as regclass), :last)",
            schema=counter.schema,
            name=counter.name,
            last=counter.last,
        )


async def _driver(tx: ReadTx) -> Any:
    """The driver's connection, within the transaction."""
    await tx.scalar("select 1")  # the transaction begins with its first statement
    return (await tx.connection.get_raw_connection()).driver_connection


async def ids_of_people(tx: ReadTx, schemas: Collection[str], account_ids: Collection[str]) -> set[tuple[str, str]]:
    """Every id that any table has of people at these accounts, as (account_id, id)."""
    found: set[tuple[str, str]] = set()
    for row in await tx.all(_IDS, schemas=list(schemas)):
        statement = (
            f'select distinct account_id, "{row["column"]}" from "{row["schema"]}"."{row["name"]}"'
            f' where account_id = any(cast(:accounts as text[])) and "{row["column"]}" is not null'
        )
        found.update((account, person) for account, person in await tx.rows(statement, accounts=list(account_ids)))
    return found


async def people_in_records(tx: ReadTx, schemas: Collection[str], account_ids: Collection[str]) -> set[tuple[str, str]]:
    """Every person at these accounts that records name which wait to be published or were set aside, as (account_id,
    id): a table has them only once such a record has arrived."""
    found: set[tuple[str, str]] = set()
    for schema in schemas:
        for table in ("outbox", "parked"):
            values = await tx.column(
                f'select value from "{schema}".{table} where value is not null'
                " and (account_id = any(cast(:accounts as text[])) or account_id = '' or account_id is null)",
                accounts=list(account_ids),
            )
            for value in values:
                person = person_in(bytes(value))
                if person is not None:
                    found.add(person[:2])
    return found
