"""The schemas as an earlier release leaves them, and as a newer one may while services of this one are at work."""

from shared.db.engine import Database
from shared.db.migrate import migrate_within
from shared.db.schemas import PACKAGES, files_of
from tests.support.databases import connected
from tests.support.environment import Environment

NEWER = 99
"""The number of a revision that no release knows yet."""


async def add_a_column_everywhere(database_url: str) -> int:
    """Add an unknown column to each table of every schema; returns how many tables there are."""
    async with connected(database_url) as connection:
        tables = await connection.fetch(
            "select format('%I.%I', nspname, relname) as name from pg_class"
            " join pg_namespace on pg_namespace.oid = relnamespace"
            " where relkind in ('r', 'p') and not relispartition and nspname not like 'pg\\_%'"
            " and nspname <> 'information_schema' order by 1"
        )
        for table in tables:
            await connection.execute(f"alter table {table['name']} add column of_a_later_version text default 'new'")
        return len(tables)


async def migrate_to_a_newer_release(database_url: str) -> None:
    """Add a column to each table, and say that a newer release has done so, compatibly."""
    await add_a_column_everywhere(database_url)
    async with connected(database_url) as connection:
        for schema in PACKAGES:
            await connection.execute(f"update {schema}.schema_version set revision = '{schema}_{NEWER}'")  # noqa: S608


async def migrate_to_first_revisions(environment: Environment) -> None:
    """Migrate the keys, and the schemas that have several revisions to their first."""
    first = {"access": "access_1"}
    for schema in PACKAGES:
        revisions = list(files_of(schema))
        if len(revisions) > 1:
            first[schema] = revisions[0]
    database = Database(environment.database_url, "public", pool_size=1)
    async with database.write() as tx:
        await migrate_within(tx.connection, first)
    await database.close()
