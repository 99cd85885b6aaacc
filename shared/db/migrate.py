"""Migrations: forward only, one chain a schema, run by one process at a time over a direct connection."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.db import roles
from shared.db.connector import DRIVER, Connector
from shared.db.engine import translated
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
CONNECT_SECONDS = 10.0
UNFINISHED = "tellback_restore"
"""A schema that is there from the beginning of a restore until its commit."""
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


async def migrate(
    database_url: str, schemas: tuple[str, ...] = tuple(PACKAGES), password_file: Path | None = None
) -> list[Level]:
    """Bring the schemas to the newest revision; returns their levels before. Raises `Unavailable`, or `Halt` when a
    schema is at a revision that this release does not know."""
    return await _each(database_url, schemas, password_file, _upgrade)


async def levels(
    database_url: str, schemas: tuple[str, ...] = tuple(PACKAGES), password_file: Path | None = None
) -> list[Level]:
    """The levels of the schemas, without changing them. Raises `Unavailable`, or `Halt` when a schema is at a revision
    that this release does not know."""
    return await _each(database_url, schemas, password_file, _level)


async def migrate_within(connection: AsyncConnection, revisions: Mapping[str, str] | None = None) -> None:
    """Migrate in the transaction of this connection: each of the schemas to its revision, or all that there are to the
    newest. Raises `Halt` for a revision that this release does not know."""
    wanted: dict[str, str | None] = dict.fromkeys(PACKAGES)
    if revisions is not None:
        wanted = dict(revisions)
    for schema, revision in wanted.items():
        folder = None
        if schema in PACKAGES:
            folder = folder_of(schema)
        if folder is not None:
            await connection.run_sync(_upgrade, schema, _scripts(folder), revision)
        elif revision is not None:
            raise _unknown(schema, revision)


async def _each(database_url: str, schemas: tuple[str, ...], password_file: Path | None, work: object) -> list[Level]:
    connector = Connector(database_url, password_file, CONNECT_SECONDS, {"lock_timeout": "3s"})
    engine = create_async_engine(DRIVER, async_creator=connector)
    done: list[Level] = []
    try:
        with translated():
            async with engine.connect() as connection:
                if await connection.scalar(text(f"select to_regnamespace('{UNFINISHED}') is not null")):
                    raise Halt(
                        "restore_unfinished",
                        "a restore into this database was interrupted, and nothing of it is there: run it again"
                        f" (to use the empty database instead: `drop schema {UNFINISHED} cascade`)",
                    )
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
    if revision is not None:
        _require_known(schema, revision, scripts)
    return Level(schema, revision, scripts.get_current_head())


def _require_known(schema: str, revision: str, scripts: ScriptDirectory) -> None:
    if revision not in {step.revision for step in scripts.walk_revisions()}:
        raise _unknown(schema, revision)


def _unknown(schema: str, revision: str) -> Halt:
    return Halt(
        "unknown_revision",
        f"schema {schema} is at revision {revision}, which this release does not know. If a newer release wrote it,"
        " update this installation; if a build from before release 0.1 did, its data cannot be taken over: begin"
        " with an empty database (`tellback up`: a new data folder) and send the data again",
    )


def _upgrade(connection: Connection, schema: str, scripts: ScriptDirectory, revision: str | None = None) -> Level:
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text(f'create schema if not exists "{schema}"'))
    connection.execute(text(f'set local search_path to "{schema}", public'))
    before = _level(connection, schema, scripts)
    if not before.current:
        if revision is not None:
            _require_known(schema, revision, scripts)
        _run(connection, before, scripts, revision or "heads")
    roles.grant(connection, schema, PACKAGES.keys() - {roles.KEYS})
    return before


def _run(connection: Connection, before: Level, scripts: ScriptDirectory, target: str) -> None:
    """Run the revisions that the schema lacks."""
    steps = list(scripts.iterate_revisions(target, before.found or "base"))
    connection.execute(text(f"create table if not exists {VERSION_TABLE} (version_num text primary key)"))
    with Operations.context(MigrationContext.configure(connection)):
        for step in reversed(steps):
            step.module.upgrade()
            connection.execute(text(f"delete from {VERSION_TABLE}"))
            connection.execute(
                text(f"insert into {VERSION_TABLE} (version_num) values (:revision)"),
                {"revision": step.revision},
            )
