"""Migrations: forward only, one chain a schema, one process at a time over a direct connection, beside services.

Each step is a transaction of its own, so that what was done stays done. A step that gets no lock within a second lets
those behind it pass, and is tried again after a while. Indexes are built concurrently, outside of any transaction.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.db import roles
from shared.db.connector import DRIVER, Connector
from shared.db.engine import DatabaseUnavailable, TransactionLost, translated
from shared.db.migration_steps import Index, Step, missing_steps, steps_of
from shared.db.schemas import PACKAGES, VERSION_TABLE, Level, Standing, folder_of, level_of
from shared.db.transaction import ReadTx
from shared.errors import Halt
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
T = TypeVar("T")
Tell = Callable[[str], None]
"""Told what a migration waits for, in a sentence."""
CONNECT_SECONDS = 10.0
UNFINISHED = "tellback_restore"
"""A schema that is there from the beginning of a restore until its commit."""
LOCK_TIMEOUT = "1s"
"""How long a step waits for a lock. Whoever wants the table waits behind it meanwhile, so it is short."""
TRIES = 30
PAUSE_SECONDS = (0.5, 2.5)
"""Between two tries, drawn anew each time. With `TRIES` a step waits for a minute or so."""
ALONE_SECONDS = 60.0
"""How long one migration waits for another to end."""
_LOCK = 0x7E13
_uniform = random.SystemRandom().uniform


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step that `migrate` would take. `compatible`: whether services of the release that migrated last go on."""

    schema: str
    revision: str
    title: str
    compatible: bool
    indexes: tuple[str, ...]


async def migrate(
    database_url: str,
    schemas: tuple[str, ...] = tuple(PACKAGES),
    password_file: Path | None = None,
    tell: Tell = log.info,
) -> list[Level]:
    """Bring the schemas to the newest revision; returns their levels before. One that a newer release has migrated is
    left as it is where this release works with it. Raises `Halt` where it does not, `Unavailable`."""
    async with _connected(database_url, password_file) as connection:
        await _until_alone(connection, tell)
        levels = [await _fitting(connection, schema) for schema in _installed(schemas)]
        for level in levels:
            await _bring(connection, level, tell)
    return levels


async def levels(
    database_url: str, schemas: tuple[str, ...] = tuple(PACKAGES), password_file: Path | None = None
) -> list[Level]:
    """The levels of the schemas, without changing them. Raises `Unavailable`."""
    async with _connected(database_url, password_file) as connection:
        return [await level_of(ReadTx(connection), schema) for schema in _installed(schemas)]


async def plan(
    database_url: str, schemas: tuple[str, ...] = tuple(PACKAGES), password_file: Path | None = None
) -> list[PlannedStep]:
    """The steps that `migrate` would take, without taking them. Raises `Halt` where it would, `Unavailable`."""
    planned = []
    async with _connected(database_url, password_file) as connection:
        for schema in _installed(schemas):
            level = await _fitting(connection, schema)
            for step in missing_steps(level):
                names = tuple(index.name for index in step.indexes)
                planned.append(PlannedStep(schema, step.revision, step.title, _bears(level, step), names))
    return planned


async def migrate_within(connection: AsyncConnection, revisions: Mapping[str, str] | None = None) -> None:
    """Migrate in the transaction of this connection: each of the schemas to its revision, or all that there are to the
    newest. Raises `Halt` for a revision that this release does not know."""
    wanted: dict[str, str | None] = dict.fromkeys(_installed(tuple(PACKAGES)))
    if revisions is not None:
        wanted = dict(revisions)
    for schema, revision in wanted.items():
        level = Level(schema, None, None, ())
        if schema in PACKAGES:
            level = await level_of(ReadTx(connection), schema)
        if revision is not None and revision not in level.known:
            raise Halt(
                "unknown_revision",
                f"schema {schema} is at revision {revision}, which this release does not know:"
                " update this installation",
            )
        for step in missing_steps(level, revision):
            await connection.run_sync(_take, schema, step)


def _installed(schemas: tuple[str, ...]) -> list[str]:
    return [schema for schema in schemas if folder_of(schema) is not None]


@asynccontextmanager
async def _connected(database_url: str, password_file: Path | None) -> AsyncIterator[AsyncConnection]:
    """A connection on which every statement is a transaction of its own. Raises `Halt` in the middle of a restore."""
    connector = Connector(database_url, password_file, CONNECT_SECONDS, {"statement_timeout": "0", "lock_timeout": "0"})
    engine = create_async_engine(DRIVER, async_creator=connector, isolation_level="AUTOCOMMIT")
    try:
        with translated():
            async with engine.connect() as connection:
                if await connection.scalar(text(f"select to_regnamespace('{UNFINISHED}') is not null")):
                    raise Halt(
                        "restore_unfinished",
                        "a restore into this database was interrupted, and nothing of it is there: run it again"
                        f" (to use the empty database instead: `drop schema {UNFINISHED} cascade`)",
                    )
                yield connection
    finally:
        await engine.dispose()


async def _until_alone(connection: AsyncConnection, tell: Tell) -> None:
    """Keep other migrations out as long as the connection lives. Whoever waits asks again and again: a statement that
    waits has a snapshot, and an index that is built concurrently would wait for that."""
    until = asyncio.get_running_loop().time() + ALONE_SECONDS
    said = False
    while not await connection.scalar(text(f"select pg_try_advisory_lock({_LOCK})")):
        if asyncio.get_running_loop().time() > until:
            raise DatabaseUnavailable("another `tellback migrate` is at work on this database: wait for its end")
        if not said:
            tell("another `tellback migrate` is at work on this database: waiting for its end")
            said = True
        await asyncio.sleep(_uniform(0.2, 0.6))


async def _fitting(connection: AsyncConnection, schema: str) -> Level:
    level = await level_of(ReadTx(connection), schema)
    if level.standing is Standing.INCOMPATIBLE:
        raise level.fault()
    return level


def _bears(level: Level, step: Step) -> bool:
    """Whether code that knows the schema up to where it is now works with it after the step."""
    if level.found is None:
        return True
    return level.known.index(step.compatible_since) <= level.known.index(level.found)


async def _bring(connection: AsyncConnection, level: Level, tell: Tell) -> None:
    """Take the steps that a schema lacks, and give the rights out, which may be lacking though no step is."""
    schema = level.schema
    if level.found is not None and level.compatible_since is None:
        await _within(connection, _adopt, level)
    for step in missing_steps(level):
        for index in step.indexes:
            tell(f"{step.revision} builds the index {index.name} concurrently: services go on meanwhile")
            await _retried(step.revision, tell, partial(_build, connection, schema, index))
        work = _take
        if step.indexes:
            work = _note
        await _retried(step.revision, tell, partial(_within, connection, work, schema, step))
    await _retried(f"the rights on {schema}", tell, partial(_within, connection, _grant, schema))


async def _retried(what: str, tell: Tell, work: Callable[[], Awaitable[T]]) -> T:
    """The result of `work`, which is tried again while others hold the locks that it needs."""
    for attempt in range(1, TRIES + 1):
        try:
            with translated():
                return await work()
        except TransactionLost:
            if attempt == TRIES:
                break
        tell(f"{what} got no lock within {LOCK_TIMEOUT}, try {attempt} of {TRIES}: it is tried again")
        await asyncio.sleep(_uniform(*PAUSE_SECONDS))
    raise DatabaseUnavailable(
        f"{what} got no lock in {TRIES} tries, and what came before it is done. Look for long transactions"
        " (`select pid, application_name, xact_start from pg_stat_activity order by xact_start`), end them, and run"
        " `tellback migrate` again"
    )


async def _within(connection: AsyncConnection, work: Callable[..., None], *arguments: object) -> None:
    """Run `work(connection, …)` in a transaction that waits for no lock for long."""
    await connection.execute(text("begin"))
    try:
        await connection.execute(text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
        await connection.run_sync(work, *arguments)
    except BaseException:
        await connection.execute(text("rollback"))
        raise
    await connection.execute(text("commit"))


def _take(connection: Connection, schema: str, step: Step) -> None:
    connection.execute(text(f'create schema if not exists "{schema}"'))
    connection.execute(text(f'set local search_path to "{schema}", public'))
    step.run(connection)
    _note(connection, schema, step)
    _grant(connection, schema)


def _note(connection: Connection, schema: str, step: Step) -> None:
    """Write down that a step was taken."""
    table = f"{schema}.{VERSION_TABLE}"
    connection.execute(text(f"create table if not exists {table} (revision text primary key, compatible_since text)"))
    connection.execute(text(f"delete from {table}"))
    connection.execute(
        text(f"insert into {table} (revision, compatible_since) values (:revision, :compatible_since)"),
        {"revision": step.revision, "compatible_since": step.compatible_since},
    )


def _adopt(connection: Connection, level: Level) -> None:
    """Take over the table of a build that wrote the revision as `version_num`, and nothing else."""
    [step] = [step for step in steps_of(level.schema) if step.revision == level.found]
    connection.execute(text(f"drop table {level.schema}.{VERSION_TABLE}"))
    _note(connection, level.schema, step)


def _grant(connection: Connection, schema: str) -> None:
    roles.grant(connection, schema, PACKAGES.keys() - {roles.KEYS})


async def _build(connection: AsyncConnection, schema: str, index: Index) -> None:
    """Build an index beside the services' work. One that an interrupted build has left is invalid, and made anew."""
    valid = await connection.scalar(
        text("select indisvalid from pg_index where indexrelid = to_regclass(:name)"),
        {"name": f"{schema}.{index.name}"},
    )
    if valid:
        return
    await connection.execute(text(f'set search_path to "{schema}", public'))
    if valid is False:
        await connection.execute(text(f"drop index concurrently {index.name}"))
    await connection.exec_driver_sql(index.statement(concurrently=True))
