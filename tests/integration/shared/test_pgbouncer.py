"""PostgreSQL behind a real PgBouncer: in session mode all goes as without it, in other modes one sentence says why not.

Asked for with `-m pgbouncer`, where the program is installed (Debian's package pgbouncer).
"""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.cli.checks import State, state
from shared.db.engine import Database, DatabaseRefuses
from shared.errors import Unavailable
from tests.support.environment import Environment
from tests.support.pgbouncer import pgbouncer
from tests.support.processes import run_tellback

pytestmark = pytest.mark.pgbouncer


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the server's user may enter."""
    with tempfile.TemporaryDirectory(prefix="tellback-test-") as path:
        Path(path).chmod(0o755)
        yield Path(path) / "pgbouncer"


def behind(environment: Environment, url: str) -> Environment:
    return Environment(environment.common.model_copy(update={"database_url": url}))


async def test_in_session_mode_settings_hold_for_each_connection(database_only: Environment, folder: Path) -> None:
    with pgbouncer(folder, database_only.database_url, "session") as url:
        databases = [Database(url, schema, pool_size=3) for schema in ("scorer", "collector")]

        async def seen(database: Database) -> tuple[str, str, str]:
            async with database.write() as tx:
                await tx.execute("select pg_sleep(0.01)")
                names = ("search_path", "statement_timeout", "jit")
                first, second, third = [str(await tx.scalar(f"show {name}")) for name in names]
                return first, second, third

        for database in databases:
            found = await asyncio.gather(*(seen(database) for _ in range(9)))
            assert set(found) == {(f"{database.schema},public", "10s", "off")}
            await database.close()


async def test_in_session_mode_the_commands_work(environment: Environment, folder: Path) -> None:
    with pgbouncer(folder, environment.database_url, "session") as url:
        done = await run_tellback(behind(environment, url), "migrate")
        assert done.returncode == 0, done.stderr
        checks = await state.database(behind(environment, url).common)
        assert {check.name for check in checks if check.state is State.FAILED} <= {"durability"}


async def test_in_transaction_mode_it_is_named(environment: Environment, folder: Path) -> None:
    with pgbouncer(folder, environment.database_url, "transaction") as url:
        database = Database(url, "scorer", pool_size=3)
        for _ in range(3):
            with pytest.raises(DatabaseRefuses) as raised:
                await database.ping()
            assert "set pool_mode = session" in raised.value.fault
        await database.close()
        other = await asyncpg.connect(url, statement_cache_size=0)
        assert await other.fetchval("show search_path") == '"$user", public'  # nothing was set on what others use
        await other.close()
        (found,) = await state.database(behind(environment, url).common)
        assert (found.state, "pool_mode = session" in found.found) == (State.FAILED, True)
        done = await run_tellback(behind(environment, url), "migrate")
        assert "set pool_mode = session" in done.stderr


async def test_in_statement_mode_it_is_named(database_only: Environment, folder: Path) -> None:
    with pgbouncer(folder, database_only.database_url, "statement") as url:
        database = Database(url, "scorer", pool_size=1)
        with pytest.raises(Unavailable) as raised:
            await database.ping()
        assert "set pool_mode = session" in raised.value.fault
        await database.close()
