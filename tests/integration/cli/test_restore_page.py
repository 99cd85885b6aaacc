"""The commands of docs/operations.md on backing up and restoring, as they are written there."""

import subprocess
from pathlib import Path

import pytest

from services.cli.console import Exit
from services.cli.folder import DataFolder
from tests.support.backups import empty_beside
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.home import NAMED_NOWHERE
from tests.support.http import api_key
from tests.support.pages import commands_of, pasted
from tests.support.processes import parts_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
[BACKING_UP] = commands_of("operations.md", "Backing up")
[RESTORING] = commands_of("operations.md", "Restoring")
ONE_MACHINE, _, OWN_SERVERS = RESTORING.partition("\n")


@pytest.fixture
async def places(environment: Environment, tmp_path: Path) -> dict[str, object]:
    """The folders of the page, after its commands on backing up were run on a database with a key."""
    await api_key(environment, ("read",))
    found: dict[str, object] = {}
    for name in ("/backups", "/elsewhere"):
        (tmp_path / name[1:]).mkdir()
        found[name] = tmp_path / name[1:]
    done = await pasted(BACKING_UP, environment.variables(), found)
    assert done.returncode == Exit.OK, done.stderr
    assert "whole: " in done.stdout
    return found


async def keys(environment: Environment) -> list[str]:
    async with connected(environment.database_url) as connection:
        return [str(key_id) for (key_id,) in await connection.fetch("select id from access.api_keys order by 1")]


def ends_well(done: "subprocess.CompletedProcess[str]") -> bool:
    assert done.returncode == Exit.OK, done.stderr
    assert "No mail, webhook or notice leaves until `tellback resume-sending`." in done.stdout
    return "API keys are live" in done.stdout


async def test_restoring_on_ones_own_servers_as_the_page_tells_it(
    environment: Environment, postgres_url: str, places: dict[str, object]
) -> None:
    async with empty_beside(environment, postgres_url) as empty:
        places["…/new_empty_database"] = f"'{empty.database_url}'"
        done = await pasted(OWN_SERVERS, empty.variables() | {"TELLBACK_SECRET_KEY": ""}, places)
        assert ends_well(done)
        assert await keys(empty) == await keys(environment) != []
        resumed = await pasted("tellback resume-sending", empty.variables())
        assert resumed.returncode == Exit.OK, resumed.stderr


async def test_restoring_on_one_machine_as_the_page_tells_it(
    environment: Environment, places: dict[str, object]
) -> None:
    with parts_folder() as folder:
        done = await pasted(ONE_MACHINE, NAMED_NOWHERE, places | {"/srv": folder})
        assert ends_well(done)
        listed = await pasted(f"tellback keys list --json --data {folder}/tellback-new", NAMED_NOWHERE)
        assert all(key_id in listed.stdout for key_id in await keys(environment))


async def test_a_data_folder_that_runs_is_refused(environment: Environment, places: dict[str, object]) -> None:
    with parts_folder() as folder:
        data = DataFolder(folder / "tellback-new")
        data.make()
        with data.held(8000):
            done = await pasted(ONE_MACHINE, NAMED_NOWHERE, places | {"/srv": folder})
        assert done.returncode == Exit.BUSY
        assert "tellback down" in done.stderr
        assert not data.secret_key.exists()
