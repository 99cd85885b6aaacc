"""The file of hashes: written atomically, readable by its owner alone, without secrets."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.access.hash_file import HashFile
from shared.access.records import KeyRecord
from shared.access.token import new_token

NOW = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
TOKEN = new_token()
RECORD = KeyRecord(
    id=TOKEN.key_id,
    secret_hash=TOKEN.digest(),
    name="frontend",
    scopes=frozenset({"ingest", "read"}),
    created_at=NOW,
    owner_email="ana@supplier.example",
    rate_limit=60,
    expires_at=NOW,
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    file = HashFile(tmp_path / "deep" / "keys.json")
    file.save([RECORD], NOW)
    assert file.load() == (NOW, [RECORD])


def test_it_is_for_its_owner_alone_and_holds_no_secret(tmp_path: Path) -> None:
    file = HashFile(tmp_path / "keys.json")
    file.save([RECORD], NOW)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert TOKEN.secret not in file.path.read_text()
    assert os.listdir(tmp_path) == ["keys.json"]


def test_a_file_that_others_can_read_is_not_trusted(tmp_path: Path) -> None:
    file = HashFile(tmp_path / "keys.json")
    file.save([RECORD], NOW)
    file.path.chmod(0o644)
    assert file.load() is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"saved_at": "2026-03-01T09:00:00Z", "keys": [{}]}', "\x00"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    assert HashFile(path).load() is None


def test_a_missing_file_counts_as_none(tmp_path: Path) -> None:
    assert HashFile(tmp_path / "keys.json").load() is None


def test_a_save_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = HashFile(tmp_path / "keys.json")
    file.save([RECORD], NOW)

    def full(*_args: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        file.save([], NOW)
    assert file.load() == (NOW, [RECORD])
    assert os.listdir(tmp_path) == ["keys.json"]
