"""`tellback restore` as an operator types it on servers of their own: who may come in afterwards, and what it says."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.backup.content import BackupFolder
from services.cli.console import Exit
from services.cli.main import app, main
from tests.support.backups import backed_up, empty_beside
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.home import NAMED_NOWHERE
from tests.support.http import api_key

USER = (
    "insert into dashboard.users (user_id, email, name, role, created_at) values"
    " (gen_random_uuid(), 'ada@example.com', 'Ada', 'admin', now()) on conflict do nothing"
)


@pytest.fixture
async def key(module_environment: Environment) -> str:
    """A key; somebody may sign in as well."""
    async with connected(module_environment.database_url) as connection:
        await connection.execute(USER)
        await connection.execute("update dashboard.users set disabled = false")
    return await api_key(module_environment, ("read",))


@pytest.fixture
async def backup(module_environment: Environment, key: str, tmp_path: Path) -> BackupFolder:
    """A backup that has the key and the user; since then the one was revoked, and the other disabled."""
    folder = module_environment.common.data_dir
    assert folder is not None
    (folder / "first_key").write_text(key)
    taken = await backed_up(module_environment, tmp_path / "backup")
    async with connected(module_environment.database_url) as connection:
        await connection.execute("update access.api_keys set revoked_at = now()")
        await connection.execute("update dashboard.users set disabled = true")
    return taken


@pytest.fixture
async def empty(
    module_environment: Environment, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Environment]:
    """An empty database, which the environment variables name, and a data folder that is not there yet."""
    folder = tmp_path / "data"
    async with empty_beside(module_environment, postgres_url, data_dir=folder) as found:
        for name, value in found.variables().items():
            monkeypatch.setenv(name, value)
        yield found


async def restored(backup: BackupFolder, *options: str) -> Result:
    done = await asyncio.to_thread(CliRunner().invoke, app, ["restore", str(backup.path), *options])
    assert done.exit_code == 0, done.output
    return done


async def live_keys(environment: Environment) -> int:
    async with connected(environment.database_url) as connection:
        return int(await connection.fetchval("select count(*) from access.api_keys where revoked_at is null"))


async def test_keys_revoked_and_people_disabled_since_the_backup_are_named(
    backup: BackupFolder, empty: Environment, key: str
) -> None:
    said = (await restored(backup)).stdout
    assert "These API keys are live, also those revoked since the backup" in said
    assert key.split("_")[1] in said
    assert "These people may sign in, also those disabled since: ada@example.com\n" in said
    assert re.search(r"^[\d,]+ rows of \d{4}-\d\d-\d\d [\d:]{8} UTC are back, in \d+\.\d s$", said, re.MULTILINE)
    assert await live_keys(empty) > 0


async def test_with_revoke_keys_no_key_of_the_backup_opens_anything_or_is_kept(
    backup: BackupFolder, empty: Environment
) -> None:
    said = (await restored(backup, "--revoke-keys", "--data", str(empty.common.data_dir))).stdout
    assert "every API key is revoked" in said
    assert await live_keys(empty) == 0
    assert empty.common.data_dir is not None
    assert not (empty.common.data_dir / "first_key").exists()


async def test_what_is_said_can_be_read_by_programs(backup: BackupFolder, empty: Environment, key: str) -> None:
    said = json.loads((await restored(backup, "--json")).stdout)
    assert key.split("_")[1] in {key_id for key_id, _ in said["keys"]}
    assert (said["users"], said["rows"]) == (["ada@example.com"], backup.manifest().rows)
    assert said["timeline"] > 0


def test_the_folder_of_a_newer_release_is_refused_and_left_alone(
    backup: BackupFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in NAMED_NOWHERE.items():
        monkeypatch.setenv(name, value)
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "version.json").write_text('{"layout": 99, "tellback": "9.9.9"}')
    monkeypatch.setattr("sys.argv", ["tellback", "restore", str(backup.path), "--data", str(newer)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == Exit.FAILED
    assert "9.9.9, which is newer" in capsys.readouterr().err
    assert [path.name for path in newer.iterdir()] == ["version.json"]
