"""The declared tables are those that the migrations make."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.scorer.tables import METADATA
from shared.db.engine import async_url
from tests.support.environment import Environment


def differences(connection: Connection) -> list[Any]:
    """What a new migration would have to do, indexes and the tables of others left aside."""

    def ours(found: Any, _name: str | None, kind: str, _reflected: bool, _counterpart: Any) -> bool:
        return kind != "index" and (kind != "table" or found.name in METADATA.tables)

    options = {"include_object": ours, "compare_type": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


async def test_the_declared_tables_are_what_the_migrations_make(environment: Environment) -> None:
    # Not shared.db.engine.Database: reflection wants the driver's own way with JSON.
    path = {"server_settings": {"search_path": "scorer"}}
    engine = create_async_engine(async_url(environment.database_url), connect_args=path)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
            await connection.exec_driver_sql("alter table latest_pairs drop column fresh, add column extra int")
            assert len(await connection.run_sync(differences)) == 2
    finally:
        await engine.dispose()
