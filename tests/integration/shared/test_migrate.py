"""Migrations, on a schema invented for it: a first revision, a second one later, one that fails, one from elsewhere."""

import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from shared.db.migrate import PACKAGES, Level, levels, migrate
from shared.errors import Halt
from tests.support.environment import Environment

SCHEMA = "invented"
Revise = Callable[[str, str | None, str], None]

pytestmark = pytest.mark.usefixtures("first")


@pytest.fixture
def revise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Revise:
    """Writes a revision of the schema, given its id, the one before, and its statement."""
    migrations = tmp_path / "invented_service" / "migrations"
    migrations.mkdir(parents=True)
    (migrations.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "invented_service", raising=False)  # the module of the test before
    monkeypatch.setitem(PACKAGES, SCHEMA, "invented_service")

    def write(revision: str, after: str | None, statement: str) -> None:
        lines = (
            "from alembic import op",
            f"revision, down_revision = {revision!r}, {after!r}",
            "branch_labels = depends_on = None",
            "def upgrade():",
            f"    op.execute({statement!r})",
        )
        (migrations / f"{revision}.py").write_text("\n".join(lines))

    return write


@pytest.fixture
async def first(environment: Environment, revise: Revise) -> None:
    """The schema at its first revision, with a row."""
    revise("invented_1", None, "create table accounts (account_id text primary key)")
    assert await migrate(environment.database_url, (SCHEMA,)) == [Level(SCHEMA, None, "invented_1")]
    await ask(environment, "insert into invented.accounts values ('acme')")


async def ask(environment: Environment, statement: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(environment.database_url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_a_second_revision_keeps_what_stands_and_runs_once(environment: Environment, revise: Revise) -> None:
    revise("invented_2", "invented_1", "alter table accounts add column tier text not null default 'gold'")
    behind = [Level(SCHEMA, "invented_1", "invented_2")]
    assert await levels(environment.database_url, (SCHEMA,)) == behind
    assert await migrate(environment.database_url, (SCHEMA,)) == behind
    assert await migrate(environment.database_url, (SCHEMA,)) == [Level(SCHEMA, "invented_2", "invented_2")]
    assert await ask(environment, "select * from invented.accounts") == [("acme", "gold")]


async def test_a_revision_that_fails_leaves_the_one_before(environment: Environment, revise: Revise) -> None:
    revise("invented_2", "invented_1", "alter table accounts add column tier text not null")
    with pytest.raises(Exception, match="contains null values"):
        await migrate(environment.database_url, (SCHEMA,))
    assert await levels(environment.database_url, (SCHEMA,)) == [Level(SCHEMA, "invented_1", "invented_2")]
    assert await ask(environment, "select * from invented.accounts") == [("acme",)]


@pytest.mark.parametrize("work", [migrate, levels])
async def test_a_database_of_another_line_of_revisions_is_refused_and_says_what_to_do(
    environment: Environment, work: Callable[..., object]
) -> None:
    await ask(environment, "update invented.schema_version set version_num = 'invented_0003'")
    with pytest.raises(Halt, match=r"revision invented_0003.*update this installation.*new data folder") as refused:
        await work(environment.database_url, (SCHEMA,))  # type: ignore[misc]
    assert refused.value.code == "unknown_revision"
    assert await ask(environment, "select version_num from invented.schema_version") == [("invented_0003",)]
