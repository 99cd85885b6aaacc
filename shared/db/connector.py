"""Makes connections to PostgreSQL from its URL, which asyncpg reads by itself: each parameter means what libpq says
(https://www.postgresql.org/docs/current/libpq-connect.html).

Settings are made after connecting, not with it: PgBouncer refuses most of the latter, or drops them. A pooler that
gives each transaction another connection would lose them, and so is refused.
"""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import structlog

DRIVER = "postgresql+asyncpg://"
"""What SQLAlchemy is told instead of a URL."""
_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_NAME = "application_name"
"""The setting that every pooler takes with the connection."""
_SET = (
    "select pg_backend_pid(), count(set_config(name, value, false))"
    " from unnest($1::text[], $2::text[]) as setting (name, value) where pg_backend_pid() = $3"
)
"""Makes settings, unless another process answers than the one that the connection is known to be with."""
_LOOKS = 3
_BY_TRANSACTION = (
    "the pooler in front of PostgreSQL gives each transaction another connection, and Tellback keeps settings for the "
    "time of a connection: set pool_mode = session for its database or user"
)
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
log = structlog.get_logger(__name__)


class Refused(Exception):
    """A connection that cannot be made before an operator mends something: `fault` says what, in a sentence."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


_OF_POOLERS = (Refused, asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError)
"""Errors of a pooler that shares connections: a statement is prepared on one of them, and asked for on another."""


class Connector:
    """Makes connections for an engine. Files that the URL names, and the one with the password, are read at each, so
    that renewed ones are used without a restart. `settings` are settings of PostgreSQL for each connection."""

    def __init__(self, url: str, password_file: Path | None, timeout: float, settings: Mapping[str, str]) -> None:
        scheme, _, rest = url.partition("://")
        if scheme not in _SCHEMES:
            raise ValueError("the URL of PostgreSQL begins with postgresql://")
        self._url = f"postgresql://{rest}"
        self._password_file = password_file
        self._timeout = timeout
        self._settings = dict(settings)
        self._looked = False
        query = parse_qs(urlsplit(self._url).query)
        self._files = [Path(query[name][-1]) for name in _FILES if name in query]
        self._said = ""

    async def __call__(self) -> asyncpg.Connection:
        """A new connection. Raises `Refused`, or the error of the driver where PostgreSQL is away."""
        try:
            return await self._connect()
        except (Refused, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            fault = fault_of(error)
            if fault and fault != self._said:
                log.error("database_refuses", reason=fault)
            self._said = fault
            if fault:
                raise Refused(fault) from error
            raise

    async def _connect(self) -> asyncpg.Connection:
        for file in self._files:
            file.read_bytes()  # asyncpg's error does not name the file
        connection = await self._opened()
        try:
            known = connection.get_server_pid()
            process = await self._set(connection, known)
            if process != known:  # a pooler in front has ids of its own; nothing is set on what others use too
                await self._look_at_pooler(connection)
                await self._set(connection, process)
        except BaseException as error:
            connection.terminate()
            # Nobody else uses it yet, so what asyncpg takes for two uses at once is a connection that broke off.
            if isinstance(error, asyncpg.InternalClientError):
                raise ConnectionResetError("the connection broke off while it was opened") from error
            raise
        return connection

    async def _set(self, connection: asyncpg.Connection, process: int) -> int:
        """Make the settings where this process answers; returns the one that does."""
        settings = {name: value for name, value in self._settings.items() if name != _NAME}
        names, values = list(settings), list(settings.values())
        return int(await connection.fetchval(_SET, names, values, process, timeout=self._timeout))

    async def _opened(self) -> asyncpg.Connection:
        password: dict[str, Any] = {}
        if self._password_file is not None:
            password["password"] = self._password_file.read_text(encoding="utf-8").strip()
        named = {_NAME: self._settings.get(_NAME, "tellback")}
        return await asyncpg.connect(self._url, timeout=self._timeout, server_settings=named, **password)

    async def _look_at_pooler(self, connection: asyncpg.Connection) -> None:
        """Raise `Refused` where transactions of one connection run on several of the server's, or two connections share
        one. Looked at once, with a second connection; where there is none, the first has one for itself."""
        if self._looked:
            return
        shared = False
        try:
            async with asyncio.timeout(self._timeout):
                second = await self._opened()
                try:
                    shared = await _share(connection, second)
                finally:
                    second.terminate()
        except TimeoutError:
            log.warning("pooler_has_one_connection")
        if shared:
            raise Refused(_BY_TRANSACTION)
        self._looked = True


async def _share(first: asyncpg.Connection, second: asyncpg.Connection) -> bool:
    """Whether a pooler takes connections to the server from one client and gives them to the other between their
    transactions."""
    for _ in range(_LOOKS):
        mine = await _process_of(first)
        async with second.transaction():
            theirs = await second.fetchval("select pg_backend_pid()")
            again = await _process_of(first)
        if mine != again or mine == theirs:
            return True
    return False


async def _process_of(connection: asyncpg.Connection) -> int:
    """The process of PostgreSQL that runs a transaction of this connection."""
    async with connection.transaction():
        return int(await connection.fetchval("select pg_backend_pid()"))


def fault_of(error: Exception) -> str:
    """What an operator has to mend, in a sentence that names no secret; empty where PostgreSQL is only away."""
    if isinstance(error, _OF_POOLERS) or "statement pooling" in str(error):
        return _BY_TRANSACTION
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of PostgreSQL is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS with PostgreSQL fails: {error.reason or error}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}, which the settings of the database name, cannot be read: {error.strerror}"
    if isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error):
        return "PostgreSQL speaks no TLS there, and sslmode demands it"
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
        return f"PostgreSQL refuses the connection: {error.args[0]}"
    if isinstance(error, asyncpg.ClientConfigurationError | ValueError):
        return f"TELLBACK_DATABASE_URL cannot be used: {error}"
    return ""
