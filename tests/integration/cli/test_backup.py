"""`tellback backup`: what is written, for whom, and what reading it through finds."""

import asyncio
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.backup.before_migrating import back_up_before_migrating
from services.cli.backup.content import BackupFolder
from services.cli.console import Exit
from services.cli.folder import DataFolder
from services.cli.main import app, main
from shared.db.migrate import migrate
from tests.support.backups import empty_beside
from tests.support.databases import connected
from tests.support.environment import Environment


@pytest.fixture
async def filled(module_database_only: Environment) -> Environment:
    """A database with an account."""
    async with connected(module_database_only.database_url) as connection:
        await connection.execute(
            "insert into collector.accounts (account_id, name, record, recorded_at, event_id)"
            " values ('acme', 'Acme', '{}', now(), gen_random_uuid()) on conflict do nothing"
        )
    return module_database_only


@pytest.fixture
def place(filled: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where to write a backup of that database, which the environment names."""
    for name, value in filled.variables().items():
        monkeypatch.setenv(name, value)
    return tmp_path / "backup"


def backup(*arguments: object, code: Exit = Exit.OK) -> Any:
    done = CliRunner().invoke(app, ["backup", *map(str, arguments), "--json"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    monkeypatch.setattr("sys.argv", ["tellback", "backup", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == Exit.FAILED
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_a_backup_is_whole_and_for_its_owner_alone(filled: Environment, place: Path) -> None:
    taken = backup(place)
    assert taken["rows"] > 0
    assert taken["bytes"] == sum(path.stat().st_size for path in place.glob("*/*"))
    for path in [place, *place.rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert (place / "keys" / "secret_key").read_text().split() == list(filled.common.key_ring)
    verified = backup("verify", place)
    assert (verified["rows"], verified["faults"]) == (taken["rows"], [])


def test_all_of_it_is_on_the_disk_before_the_file_that_says_it_is_finished(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut keeps what was synced: of each file all bytes, and of each folder the names that it then had."""
    place = place / "in" / "a" / "new" / "folder"
    synced: dict[int, object] = {}
    missing: list[list[Path]] = []
    sync = os.fsync

    def lost(paths: Iterable[Path]) -> list[Path]:
        return [path for path in paths if synced.get(path.stat().st_ino) != held(path)]

    def noted(descriptor: int) -> None:
        sync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced[path.stat().st_ino] = held(path)
        if path.name == ".backup.json.new":
            missing.append(lost(place.rglob("*")))

    monkeypatch.setattr(os, "fsync", noted)
    backup(place)
    assert missing == [[]]
    assert lost([*place.rglob("*"), place, *place.parents[:5]]) == []


def held(path: Path) -> object:
    """The names in a folder, or the size of a file."""
    if path.is_dir():
        return {each.name for each in path.iterdir()}
    return path.stat().st_size


async def test_every_table_of_every_schema_is_in_it(filled: Environment, place: Path) -> None:
    async with connected(filled.database_url) as connection:
        tables = await connection.fetch(
            "select schemaname || '.' || tablename from pg_tables where tablename <> 'schema_version'"
            " and schemaname not in ('pg_catalog', 'information_schema')"
        )
    await asyncio.to_thread(backup, place)
    written = {path.name.removesuffix(".gz") for path in (place / "tables").iterdir()}
    partitions = {"scorer.account_counts_now", "scorer.account_counts_months"}
    assert written == {str(name) for (name,) in tables} - partitions


def test_a_folder_that_others_may_read_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.mkdir()
    place.chmod(0o755)
    assert "chmod 700" in refused(monkeypatch, capsys, place)
    assert list(place.iterdir()) == []
    place.chmod(0o700)
    backup(place)
    place.chmod(0o750)
    assert "chmod 700" in refused(monkeypatch, capsys, "verify", place)


def test_what_is_no_folder_of_a_backup_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.touch()
    assert "no_backup" in refused(monkeypatch, capsys, "verify", place)
    place.unlink()
    place.mkdir()
    place.chmod(0o755)
    assert "no_backup" in refused(monkeypatch, capsys, "verify", place), "no word of the rights of whatever it is"
    place.chmod(0o700)
    (place / "backup.json").write_bytes(b"\xff\xfe no text")
    assert "backup_damaged" in refused(monkeypatch, capsys, "verify", place)


def test_a_folder_that_holds_something_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backup(place)
    assert "backup_folder" in refused(monkeypatch, capsys, place)


def test_a_backup_that_did_not_end_is_none(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backup(place)
    (place / "backup.json").unlink()
    assert "no_backup" in refused(monkeypatch, capsys, "verify", place)


@pytest.mark.parametrize("name", ["tables/collector.accounts.gz", "keys/secret_key"])
def test_a_file_that_was_changed_or_cut_or_is_gone_is_found(place: Path, name: str) -> None:
    backup(place)
    file = place / name
    content = file.read_bytes()
    for other in (content[:-9], content[:12] + bytes([content[12] ^ 1]) + content[13:], None):
        file.unlink()
        if other is not None:
            file.write_bytes(other)
        [fault] = backup("verify", place, code=Exit.FAILED)["faults"]
        assert name in fault
        file.write_bytes(content)


def test_rows_that_are_missing_are_found(place: Path) -> None:
    backup(place)
    manifest = json.loads((place / "backup.json").read_text())
    [table] = [each for each in manifest["tables"] if each["file"]["path"] == "tables/collector.accounts.gz"]
    table["rows"] += 1
    (place / "backup.json").write_text(json.dumps(manifest))
    [fault] = backup("verify", place, code=Exit.FAILED)["faults"]
    assert fault == f"tables/collector.accounts.gz holds {table['rows'] - 1} rows instead of {table['rows']}"


async def test_up_takes_one_before_it_migrates_and_keeps_three(
    postgres_url: str, module_database_only: Environment, tmp_path: Path
) -> None:
    kept = DataFolder(tmp_path)
    async with empty_beside(module_database_only, postgres_url) as environment:
        assert await back_up_before_migrating(environment.common, kept) is None, "nothing is there yet"
        await migrate(environment.database_url)
        assert await back_up_before_migrating(environment.common, kept) is None, "nothing is to be migrated"
        async with connected(environment.database_url) as connection:
            await connection.execute("update scorer.schema_version set revision = 'scorer_1'")
        earlier = [kept.backups / f"2026-0{month}-01T000000Z" for month in (1, 2, 3, 4)]
        for folder in earlier:
            folder.mkdir(parents=True)
        for folder in earlier[:3]:
            (folder / "backup.json").touch()
        others = [kept.backups / "mine", kept.backups / "2026-01-01T000000Z.old", kept.backups / "2026-01-02T000000Z"]
        for folder in others[:2]:
            folder.mkdir()
        others[2].symlink_to(others[0])
        taken = await back_up_before_migrating(environment.common, kept)
    assert taken is not None
    assert sorted(kept.backups.iterdir()) == sorted([earlier[1], earlier[2], taken, *others])
    assert BackupFolder(taken).manifest().revisions["scorer"] == "scorer_1"
