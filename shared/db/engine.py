"""The database handle of a process: settings of every connection, and the mapping of driver errors to ours."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.db.connector import DRIVER, Connector, Refused
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Unavailable
from shared.settings import CommonSettings

T = TypeVar("T")
ATTEMPTS = 5
POOL_SIZE = 10
"""Most connections of a process to the schema of its service."""
ASK_AFTER_IDLE_SECONDS = 1.0
"""A connection that was used within this time is given out without a ping, unless its socket is known to be closed."""
_UNDONE = ("40", "55")
"""SQLSTATE classes after which the transaction may be run again: serialization failure and deadlock, lock not
available."""
_IDLE_TOO_LONG = "25P03"
_TIMED_OUT = "57014"
_USED_UP = "53300"
_AWAY = ("08", "53", "57", "58", "XX")
"""SQLSTATE classes of an unavailable server: connection lost, out of disk or memory, stopping or starting, system
error, internal error."""
_REFUSING = ("28", "3D")
"""SQLSTATE classes that only an operator can mend: wrong user or password, no such database."""
_READ_ONLY = "25006"
"""The SQLSTATE of writes to a server that has become a standby."""
_NOT_AS_EXPECTED = "42"
"""SQLSTATE class of a missing table, column or right: a programming error, or a schema of another version."""
_FORBIDDEN = "42501"
"""The SQLSTATE of a right that is missing."""


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be reached or cannot take more work now."""

    def __init__(self, detail: str = "the database is not reachable") -> None:
        super().__init__("database_unavailable", detail, retry_after=5)


class ConnectionsUsedUp(DatabaseUnavailable):
    """PostgreSQL is there and takes no more connections."""

    def __init__(self) -> None:
        super().__init__("the database takes no more connections")


class DatabaseRefuses(DatabaseUnavailable):
    """PostgreSQL is there and does not let us work: wrong user, no such database, read-only."""

    def __init__(self, fault: str = "") -> None:
        super().__init__("the database is there and refuses the work (user, rights, or read-only)")
        self.fault = fault


class TransactionLost(DatabaseUnavailable):
    """The transaction was undone by the server (deadlock, lock timeout, stale plan); running it again helps."""

    def __init__(self) -> None:
        super().__init__("the database undid the work; try again")


class StatementTimedOut(TransactionLost):
    """A statement exceeded the statement timeout; running it again helps unless it always takes that long."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors into `DatabaseUnavailable` and its subclasses; programming errors pass unchanged."""
    try:
        yield
    except Refused as error:
        raise DatabaseRefuses(error.fault) from error
    except (DBAPIError, asyncpg.PostgresError) as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning from error
    except (PoolTimeout, OSError, asyncpg.InterfaceError) as error:
        raise DatabaseUnavailable from error


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE of a driver's error, five characters; empty where it has none."""
    return str(getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def misfits(error: BaseException) -> bool:
    """Whether the schema differs from the one that this code expects, or rights on it are missing."""
    return isinstance(error, DatabaseRefuses) or sqlstate(error)[:2] == _NOT_AS_EXPECTED


def lacks_right(error: BaseException) -> bool:
    """Whether the role that we connect as has no right to what was asked for."""
    return sqlstate(error) == _FORBIDDEN


def from_driver(error: Exception) -> bool:
    """Whether the database or its driver raised this error, so that our own code is not at fault."""
    return isinstance(error, DBAPIError | PoolTimeout | asyncpg.PostgresError | asyncpg.InterfaceError)


def _meaning(error: DBAPIError | asyncpg.PostgresError) -> DatabaseUnavailable | None:
    """Our error for an error of the driver; None where the call itself is at fault."""
    state = sqlstate(error)
    stale_plan = "InvalidCachedStatement" in f"{getattr(error, 'orig', error)!r}"
    if state == _USED_UP:
        return ConnectionsUsedUp()
    if state == _TIMED_OUT:
        return StatementTimedOut()
    if state.startswith(_UNDONE) or state == _IDLE_TOO_LONG or stale_plan:
        return TransactionLost()
    if state.startswith(_REFUSING) or state == _READ_ONLY:
        return DatabaseRefuses()
    if state.startswith(_AWAY) or getattr(error, "connection_invalidated", False):
        return DatabaseUnavailable()
    return None


def _as_is(value: Any) -> Any:
    return value


def _encode_json(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _decode_json(connection: Any, _record: Any) -> None:
    """Decode jsonb into Python values also for plain text statements, which carry no column types."""

    async def set_codec(driver: asyncpg.Connection) -> None:
        await driver.set_type_codec(
            "jsonb",
            schema="pg_catalog",
            encoder=_encode_json,
            decoder=json.loads,
        )

    connection.run_async(set_codec)


def _look_before_use(engine: AsyncEngine) -> None:
    """Give out only connections that work. A ping before each use would cost three round trips; the state of the socket
    tells a closed connection, so only one that has been idle for long is pinged."""
    dialect = engine.sync_engine.dialect

    def returned(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError("the server closed the connection")
        if time.monotonic() - record.info["used_at"] < ASK_AFTER_IDLE_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except (DBAPIError, dialect.loaded_dbapi.Error) as error:
            raise InvalidatePoolError("the server does not answer on the connection") from error

    event.listen(engine.sync_engine, "connect", returned)
    event.listen(engine.sync_engine, "checkin", returned)
    event.listen(engine.sync_engine, "checkout", taken)


class Database:
    """The connections of one process to one service's schema; SQL names tables without their schema.

    `settings` are settings of PostgreSQL for all of them. As a context manager it closes them at the end.
    """

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        password_file: Path | None = None,
        pool_size: int = POOL_SIZE,
        connect_timeout: float = 5.0,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.schema = schema
        self.engine: AsyncEngine = create_async_engine(
            DRIVER,
            async_creator=Connector(
                url,
                password_file,
                connect_timeout,
                {
                    "search_path": f"{schema},public",
                    "application_name": f"tellback-{schema}",
                    "statement_timeout": "10s",
                    "lock_timeout": "3s",
                    "idle_in_transaction_session_timeout": "30s",
                    "client_connection_check_interval": "5s",
                    "timezone": "UTC",
                    "jit": "off",
                    **settings,
                },
            ),
            json_deserializer=_as_is,
            pool_size=pool_size,
            max_overflow=0,
            pool_recycle=1800,
            pool_timeout=5,
        )
        event.listen(self.engine.sync_engine, "connect", _decode_json)
        _look_before_use(self.engine)

    @classmethod
    def of(
        cls,
        common: CommonSettings,
        schema: str,
        *,
        pool_size: int = POOL_SIZE,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """The database of this installation."""
        return cls(
            common.database_url,
            schema,
            password_file=common.database_password_file,
            pool_size=pool_size,
            settings=settings,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        """A read-only transaction over one snapshot. Raises `DatabaseUnavailable`."""
        with translated():
            async with self.engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                async with connection.begin():
                    yield ReadTx(connection)

    @asynccontextmanager
    async def read_once(self) -> AsyncIterator[ReadTx]:
        """For a single reading statement: it sees one snapshot by itself, so there is no transaction around it, which
        saves two round trips. Raises `DatabaseUnavailable`."""
        with translated():
            async with self.engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                yield ReadTx(connection)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTx]:
        """A read-committed transaction, committed at the end, undone on any exception. Raises `DatabaseUnavailable`."""
        with translated():
            async with self.engine.begin() as connection:
                tx = WriteTx(connection)
                yield tx
        tx.committed()

    async def retrying(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        """Run `work` in a write transaction, and run it again when the server undid the transaction (deadlock, lock
        timeout, stale plan). A statement that timed out is not repeated: it would time out again."""
        for attempt in range(ATTEMPTS):
            try:
                async with self.write() as tx:
                    return await work(tx)
            except StatementTimedOut:
                raise
            except TransactionLost:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    async def ping(self) -> None:
        """Check that the server answers. Raises `DatabaseUnavailable`."""
        async with self.read() as tx:
            await tx.scalar("select 1")

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
