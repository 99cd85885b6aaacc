"""The commands of docs/operations.md on upgrading and going back, as they are written there."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.cli.console import Exit
from shared.db.migrate import levels
from shared.db.schemas import Standing
from tests.support.backups import empty_beside
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.pages import commands_of, pasted
from tests.support.schema_levels import migrate_to_a_newer_release, migrate_to_first_revisions

BLOCKS = commands_of("operations.md", "Upgrading, and going back")


@pytest.fixture
async def older(environment: Environment, postgres_url: str) -> AsyncIterator[Environment]:
    """An installation of an earlier release."""
    async with empty_beside(environment, postgres_url) as found:
        await migrate_to_first_revisions(found)
        yield found


def test_the_page_has_three_steps() -> None:
    assert [block.split()[1] for block in BLOCKS] == ["backup", "migrate", "migrate"]


async def test_an_upgrade_as_the_page_tells_it(older: Environment, tmp_path: Path) -> None:
    backing_up, migrating, _ = BLOCKS
    backup = await pasted(backing_up, older.variables(), {"/backups": tmp_path})
    assert backup.returncode == 0, backup.stderr
    assert (tmp_path / "before-upgrade" / "backup.json").exists()
    done = await pasted(migrating, older.variables())
    assert done.returncode == 0, done.stderr
    planned = r"^ *alerting +alerting_2 +Alerting's messages.* +yes +–"
    assert re.search(planned, done.stdout, re.MULTILINE), done.stdout
    assert {level.standing for level in await levels(older.database_url)} == {Standing.CURRENT}


async def test_going_back_as_the_page_tells_it(environment: Environment) -> None:
    await migrate_to_a_newer_release(environment.database_url)
    done = await pasted(BLOCKS[2], environment.variables())
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ *scorer +scorer_99 +scorer_99", done.stdout, re.MULTILINE), done.stdout
    assert "left as a newer release has migrated it" in done.stdout


async def test_going_back_to_a_release_that_does_not_work_with_the_schema_is_refused(environment: Environment) -> None:
    async with connected(environment.database_url) as connection:
        await connection.execute(
            "update scorer.schema_version set revision = 'scorer_99', compatible_since = 'scorer_98'"
        )
    done = await pasted(BLOCKS[2], environment.variables())
    assert done.returncode == Exit.FAILED
    assert "(schema_ahead)" in done.stderr
