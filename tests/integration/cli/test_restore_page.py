"""The commands of docs/operations.md on backing up and restoring, as they are written there."""

import subprocess

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


@pytest.fixture(scope="module")
async def places(module_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The folders of the page, after its commands on backing up were run on a database with a key."""
    await api_key(module_environment, ("read",))
    found: dict[str, object] = {}
    for name in ("backups", "elsewhere"):
        found[f"/{name}"] = tmp_path_factory.mktemp(name)
    done = await pasted(BACKING_UP, module_environment.variables(), found)
    assert done.returncode == Exit.OK, done.stderr
    assert "whole: " in done.stdout
    return found


async def keys(environment: Environment) -> list[str]:
    async with connected(environment.database_url) as connection:
        return [str(key_id) for (key_id,) in await connection.fetch("select id from access.api_keys order by 1")]


def check(restored: "subprocess.CompletedProcess[str]") -> None:
    """It ended well, and says what the page says of it."""
    assert restored.returncode == Exit.OK, restored.stderr
    for said in ("API keys are live", "people may sign in", "No mail, webhook or notice leaves"):
        assert said in restored.stdout


async def test_restoring_on_ones_own_servers_as_the_page_tells_it(
    module_environment: Environment, postgres_url: str, places: dict[str, object]
) -> None:
    async with empty_beside(module_environment, postgres_url) as empty:
        named = places | {"…/new_empty_database": f"'{empty.database_url}'"}
        done = await pasted(OWN_SERVERS, empty.variables() | {"TELLBACK_SECRET_KEY": ""}, named)
        check(done)
        assert await keys(empty) == await keys(module_environment) != []
        resumed = await pasted("tellback resume-sending", empty.variables())
        assert resumed.returncode == Exit.OK, resumed.stderr


async def test_restoring_on_one_machine_as_the_page_tells_it(
    module_environment: Environment, places: dict[str, object]
) -> None:
    with parts_folder() as folder:
        done = await pasted(ONE_MACHINE, NAMED_NOWHERE, places | {"/srv": folder})
        check(done)
        listed = await pasted(f"tellback keys list --json --data {folder}/tellback-new", NAMED_NOWHERE)
        assert all(key_id in listed.stdout for key_id in await keys(module_environment))


async def test_a_data_folder_that_runs_is_refused(places: dict[str, object]) -> None:
    with parts_folder() as folder:
        data = DataFolder(folder / "tellback-new")
        data.make()
        with data.held(8000):
            done = await pasted(ONE_MACHINE, NAMED_NOWHERE, places | {"/srv": folder})
        assert done.returncode == Exit.BUSY
        assert "tellback down" in done.stderr
        assert not data.secret_key.exists()
