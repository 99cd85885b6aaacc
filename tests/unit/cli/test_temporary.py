"""Where a service keeps temporary files, with a data folder, without one, and where that cannot be written."""

import tempfile
from pathlib import Path

import pytest

from services.cli import temporary


@pytest.fixture(autouse=True)
def as_the_system_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_they_lie_in_the_data_folder(tmp_path: Path) -> None:
    temporary.keep_in(tmp_path / "collector")
    with tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == tmp_path / "collector" / temporary.NAME
    assert (tmp_path / "collector" / temporary.NAME).stat().st_mode & 0o777 == 0o700


def test_without_a_data_folder_they_stay_in_the_systems() -> None:
    temporary.empty(None)
    temporary.keep_in(None)
    assert tempfile.tempdir is None


def test_where_the_data_folder_cannot_be_written_they_stay_in_the_systems(tmp_path: Path) -> None:
    (tmp_path / "collector").write_text("a file, where a folder should be")
    temporary.keep_in(tmp_path / "collector")
    assert tempfile.gettempdir() != str(tmp_path / "collector" / temporary.NAME)


def test_a_start_deletes_what_was_left_and_nothing_else(tmp_path: Path) -> None:
    left, kept = tmp_path / temporary.NAME / "left" / "metrics.db", tmp_path / "api-keys.json"
    left.parent.mkdir(parents=True)
    left.touch()
    kept.touch()
    temporary.empty(tmp_path)
    assert list(tmp_path.iterdir()) == [kept]
