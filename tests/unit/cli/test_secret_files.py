"""The doctor looks at the keys in the data folder: short ones and none are faults, a ring is none."""

from pathlib import Path

import pytest

from services.cli.checks import Check, State
from services.cli.checks.machine import data_folder
from services.cli.folder import DataFolder

OLD, NEW = "Zk3v9x0A1b2C3d4E5f6G7h8I9j0K1l2M3", "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"


@pytest.mark.parametrize(
    ("content", "state"),
    [(OLD, State.OK), (f"{NEW}\n{OLD}\n", State.OK), ("", State.FAILED), (f"{NEW}\nshort\n", State.FAILED)],
)
def test_what_the_file_of_the_keys_holds(tmp_path: Path, content: str, state: State) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.make()
    folder.make_secret_key()
    folder.secret_key.write_text(content)
    found: list[Check] = [check for check in data_folder(folder, embedded=True) if check.name == "secret files"]
    assert [check.state for check in found] == [state]


def test_the_folder_of_a_service_that_runs_by_itself_is_no_foreign_one(tmp_path: Path) -> None:
    (tmp_path / "api-keys.json").write_text("{}")
    folder = DataFolder(tmp_path)
    assert [check.state for check in data_folder(folder, embedded=False)] == [State.OK, State.OK]
    assert [check.state for check in data_folder(folder, embedded=True)] == [State.FAILED]
