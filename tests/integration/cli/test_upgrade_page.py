"""The commands of docs/operations.md on upgrading and going back, as they are written there."""

import asyncio
import os
import re
import shlex
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.cli.console import Exit
from shared.db.migrate import levels
from shared.db.schemas import Standing
from tests.support.backups import empty_beside
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.processes import SOURCES, tellback
from tests.support.schema_levels import migrate_to_a_newer_release, migrate_to_first_revisions

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Upgrading, and going back\n")[2].partition("\n## ")[0]
BLOCKS: list[str] = re.findall(r"^```bash\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)


@pytest.fixture
async def older(environment: Environment, postgres_url: str) -> AsyncIterator[Environment]:
    """An installation of an earlier release."""
    async with empty_beside(environment, postgres_url) as found:
        await migrate_to_first_revisions(found)
        yield found


async def pasted(environment: Environment, commands: str, backups: Path) -> "subprocess.CompletedProcess[str]":
    """Run commands in bash, with this tree's `tellback` and another folder for backups."""
    script = f'tellback() {{ {shlex.join(tellback())} "$@"; }}\n' + commands.replace("/backups", str(backups))
    return await asyncio.to_thread(
        subprocess.run,
        ("bash", "-ec", script),
        env=os.environ | SOURCES | environment.variables(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_page_has_three_steps() -> None:
    assert [block.split()[1] for block in BLOCKS] == ["backup", "migrate", "migrate"]


async def test_an_upgrade_as_the_page_tells_it(older: Environment, tmp_path: Path) -> None:
    backing_up, migrating, _ = BLOCKS
    backup = await pasted(older, backing_up, tmp_path)
    assert backup.returncode == 0, backup.stderr
    assert (tmp_path / "before-upgrade" / "backup.json").exists()
    done = await pasted(older, migrating, tmp_path)
    assert done.returncode == 0, done.stderr
    planned = r"^ *alerting +alerting_2 +Alerting's messages.* +yes +–"
    assert re.search(planned, done.stdout, re.MULTILINE), done.stdout
    assert {level.standing for level in await levels(older.database_url)} == {Standing.CURRENT}


async def test_going_back_as_the_page_tells_it(environment: Environment, tmp_path: Path) -> None:
    await migrate_to_a_newer_release(environment.database_url)
    done = await pasted(environment, BLOCKS[2], tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ *scorer +scorer_99 +scorer_99", done.stdout, re.MULTILINE), done.stdout
    assert "left as a newer release has migrated it" in done.stdout


async def test_going_back_to_a_release_that_does_not_work_with_the_schema_is_refused(
    environment: Environment, tmp_path: Path
) -> None:
    async with connected(environment.database_url) as connection:
        await connection.execute(
            "update scorer.schema_version set revision = 'scorer_99', compatible_since = 'scorer_98'"
        )
    done = await pasted(environment, BLOCKS[2], tmp_path)
    assert done.returncode == Exit.FAILED
    assert "(schema_ahead)" in done.stderr
