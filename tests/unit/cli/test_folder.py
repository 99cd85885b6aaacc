"""The data folder: one holder at a time, no newer or foreign content, secrets for their owner only."""

import json
import os
import stat
from pathlib import Path

import pytest

from services.cli.console import Busy
from services.cli.folder import LAYOUT, DataFolder, DataFolderError
from services.cli.leftovers import sweep
from tests.support.processes import end, start


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.make()
    return made


def test_only_one_holds_it_and_the_other_learns_who(folder: DataFolder) -> None:
    assert folder.holder() is None
    with folder.held(8000):
        holder = folder.holder()
        assert holder
        assert (holder.pid, holder.port_base) == (os.getpid(), 8000)
        with pytest.raises(Busy, match=rf"process {os.getpid()}, ports from 8000"), folder.held(9000):
            raise AssertionError("held twice")
    assert folder.holder() is None


def test_a_newer_layout_is_refused(folder: DataFolder) -> None:
    (folder.path / "version.json").write_text(json.dumps({"layout": LAYOUT + 1, "tellback": "7.0"}))
    with pytest.raises(DataFolderError, match=r"written by Tellback 7\.0, which is newer"):
        folder.make()


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(DataFolderError, match="holds something else"):
        DataFolder(tmp_path).make()


def test_a_damaged_file_is_named(folder: DataFolder) -> None:
    (folder.path / "ports.json").write_text("{")
    with pytest.raises(DataFolderError, match=r"ports\.json is damaged"):
        folder.ports()


def test_the_secret_is_made_once_and_is_private(folder: DataFolder) -> None:
    folder.make_secret_key()
    first = folder.secret_key.read_text()
    folder.make_secret_key()
    assert folder.secret_key.read_text() == first
    assert len(first) >= 32
    assert stat.S_IMODE(folder.secret_key.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_variables_lead_to_what_was_set_up(folder: DataFolder) -> None:
    assert folder.variables() == {}
    folder.keep_ports({"kafka": 5001, "postgres": 5002})
    folder.postgres.mkdir()
    (folder.postgres / "password").write_text("geheim\n")
    folder.kafka.mkdir()
    (folder.kafka / "password").write_text("leise\n")
    assert folder.variables() == {
        "TELLBACK_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:5001",
        "TELLBACK_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "TELLBACK_KAFKA_SASL_USERNAME": "tellback",
        "TELLBACK_KAFKA_SASL_PASSWORD_FILE": str(folder.kafka / "password"),
        "TELLBACK_DATABASE_URL": "postgresql://tellback:geheim@127.0.0.1:5002/tellback",
    }


def test_what_an_earlier_run_left_is_ended_and_only_that(folder: DataFolder, tmp_path: Path) -> None:
    left = start(("sleep", "60"), tmp_path / "left.log")
    stranger = start(("sleep", "60"), tmp_path / "stranger.log")
    try:
        note(folder, left=left.pid, stranger=stranger.pid)
        parts = folder.running()
        parts["parts"]["stranger"]["born"] -= 1000  # the process with this id has ended long ago
        folder.note_running(parts)
        assert sweep(folder) == ["left"]
        assert left.poll() is not None
        assert stranger.poll() is None
        assert folder.running() == {}
    finally:
        end(left)
        end(stranger)


def note(folder: DataFolder, **pids: int) -> None:
    import psutil

    parts = {name: {"pid": pid, "born": psutil.Process(pid).create_time()} for name, pid in pids.items()}
    folder.note_running({"parts": parts})
