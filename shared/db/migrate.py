"""Migrations: forward only, one chain a schema, run by one process at a time over a direct connection."""

import importlib
from dataclasses import dataclass
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.engine import async_url, translated
from shared.errors import Halt

PACKAGES = {
    "access": "shared.access",
    "collector": "services.collector",
    "scorer": "services.scorer",
    "alerting": "services.alerting",
    "benchmark": "services.benchmark",
    "outreach": "services.outreach",
    "dashboard": "services.dashboard",
}
"""Schema -> the package whose `migrations` folder creates it."""
VERSION_TABLE = "schema_version"
_LOCK = 0x7E13


@dataclass(frozen=True, slots=True)
class Level:
    """How far a schema is: `found` and `wanted` are revision ids, `found` None before the first migration."""

    schema: str
    found: str | None
    wanted: str | None

    @property
    def current(self) -> bool:
        """Whether the schema is at the newest revision."""
        return self.found == self.wanted


def folder_of(schema: str) -> Path | None:
    """The folder with the migrations of a schema; None for a service that has none."""
    try:
        package = importlib.import_module(PACKAGES[schema])
    except ModuleNotFoundError:
        return None
    folder = Path(str(package.__file__)).parent / "migrations"
    return folder if folder.is_dir() else None


def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


async def migrate(database_url: str, schemas: tuple[str, ...] = tuple(PACKAGES)) -> list[Level]:
    """Bring the schemas to the newest revision; returns their levels before. Raises `Unavailable`, or `Halt` when a
    schema is at a revision that this release does not know."""
    return await _each(database_url, schemas, _upgrade)


async def levels(database_url: str, schemas: tuple[str, ...] = tuple(PACKAGES)) -> list[Level]:
    """The levels of the schemas, without changing them. Raises `Unavailable`, or `Halt` when a schema is at a revision
    that this release does not know."""
    return await _each(database_url, schemas, _level)


async def _each(database_url: str, schemas: tuple[str, ...], work: object) -> list[Level]:
    engine = create_async_engine(async_url(database_url), connect_args={"server_settings": {"lock_timeout": "3s"}})
    done: list[Level] = []
    try:
        for schema in schemas:
            folder = folder_of(schema)
            if folder is None:
                continue
            with translated():
                async with engine.begin() as connection:
                    done.append(await connection.run_sync(work, schema, _scripts(folder)))  # type: ignore[arg-type]
    finally:
        await engine.dispose()
    return done


def _level(connection: Connection, schema: str, scripts: ScriptDirectory) -> Level:
    exists = connection.scalar(text("select to_regclass(:name)"), {"name": f"{schema}.{VERSION_TABLE}"})
    revision = None
    if exists:
        revision = connection.scalar(text(f"select version_num from {schema}.{VERSION_TABLE}"))
    if revision is not None and revision not in {step.revision for step in scripts.walk_revisions()}:
        raise Halt(
            "unknown_revision",
            f"schema {schema} is at revision {revision}, which this release does not know. If a newer release wrote it,"
            " update this installation; if a build from before release 0.1 did, its data cannot be taken over: begin"
            " with an empty database (`tellback up`: a new data folder) and send the data again",
        )
    return Level(schema, revision, scripts.get_current_head())


def _upgrade(connection: Connection, schema: str, scripts: ScriptDirectory) -> Level:
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text(f'create schema if not exists "{schema}"'))
    connection.execute(text(f'set local search_path to "{schema}", public'))
    before = _level(connection, schema, scripts)
    if before.current:
        return before
    steps = list(scripts.iterate_revisions("heads", before.found or "base"))
    connection.execute(text(f"create table if not exists {VERSION_TABLE} (version_num text primary key)"))
    with Operations.context(MigrationContext.configure(connection)):
        for step in reversed(steps):
            step.module.upgrade()
            connection.execute(text(f"delete from {VERSION_TABLE}"))
            connection.execute(
                text(f"insert into {VERSION_TABLE} (version_num) values (:revision)"),
                {"revision": step.revision},
            )
    return before
