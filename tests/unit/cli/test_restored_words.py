"""What `tellback restore` says of Kafka's log: each partition that reads on elsewhere, and another log in one line."""

import pytest

from services.cli.backup.log import BEHIND, OTHER, Moved
from services.cli.backup.restore import _tell
from services.cli.backup.restoring import Restored


def test_another_log_is_said_once_and_a_shorter_one_by_partition(capsys: pytest.CaptureFixture[str]) -> None:
    moved = [Moved("scorer", "responses", number, OTHER, 0) for number in range(6)]
    moved.append(Moved("alerting", "directory", 3, BEHIND, 12))
    _tell(Restored(directory=0, scores=1, erased=0, moved=moved, keys=[], users=["admin"]), revoked=False)
    said = capsys.readouterr().out
    assert said.count("another log") == 1
    assert "responses" not in said
    [line] = [line for line in said.splitlines() if "directory" in line and BEHIND in line]
    assert line.split() == ["alerting", "directory", "3", *BEHIND.split(), "12"]


@pytest.mark.parametrize("revoked", [False, True])
def test_keys_and_people_that_may_come_in_again_are_named(capsys: pytest.CaptureFixture[str], *, revoked: bool) -> None:
    keys = [("a1b2", "crm"), ("c3d4", "first key")]
    _tell(Restored(keys=keys, users=["ada@example.com", "bob@example.com"]), revoked=revoked)
    said = capsys.readouterr().out
    assert "These people may sign in, also those disabled since: ada@example.com, bob@example.com\n" in said
    assert ("every API key is revoked" in said) is revoked
    for key_id, name in keys:
        assert (key_id in said and name in said) is not revoked
