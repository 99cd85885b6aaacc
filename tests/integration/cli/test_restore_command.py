"""`tellback restore` as an operator types it: into a new data folder, with embedded parts made for it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.backup.restore import MOVED
from services.cli.console import Exit
from shared.db.engine import Database
from tests.support.backups import backed_up
from tests.support.environment import Environment
from tests.support.home import Home, home_in
from tests.support.http import api_key
from tests.support.processes import parts_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def home() -> Iterator[Home]:
    with parts_folder() as folder, home_in(folder) as found:
        yield found


@pytest.fixture
async def backup(database_only: Environment, tmp_path: Path) -> Path:
    """A backup of a database with an API key, which is in the data folder as well."""
    key = await api_key(database_only, ("read",))
    assert database_only.common.data_dir is not None
    (database_only.common.data_dir / "first_key").write_text(key)
    database = Database(database_only.database_url, "scorer", pool_size=1)
    async with database.write() as tx:
        await tx.execute(
            "insert into cursors (topic, partition, next_offset, cluster_id) values ('responses', 0, 7, 'gone')"
        )
    await database.close()
    return (await backed_up(database_only, tmp_path / "backup")).path


def test_a_new_data_folder_is_as_the_one_that_was_backed_up(
    home: Home, backup: Path, database_only: Environment
) -> None:
    done = home.run("restore", str(backup), "--json")
    assert done.returncode == Exit.OK, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"] > 0
    assert {tuple(moved) for moved in told["moved"]} == {MOVED}
    assert {moved["why"] for moved in told["moved"]} == {"another log"}
    assert (home.data / "secret_key").read_text().split() == list(database_only.common.key_ring)
    assert database_only.common.data_dir is not None
    kept = (database_only.common.data_dir / "first_key").read_text()
    assert (home.data / "first_key").read_text() == kept
    listed = json.loads(home.run("keys", "list", "--json").stdout)
    assert kept.split("_")[1] in {key["id"] for key in listed if key["state"] == "live"}
    resumed = json.loads(home.run("resume-sending", "--json").stdout)
    assert resumed == {"paused": False, "unconfirmed": 0, "waiting": 0}
    again = home.run("restore", str(backup))
    assert again.returncode == Exit.FAILED
    assert "holds an installation already" in again.stderr
