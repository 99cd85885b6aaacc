"""One more user may traverse a closed folder, nobody else gets access, and a lost entry is set again."""

import os
import stat
from pathlib import Path

import pytest

from services.cli.embedded.posix_acl import GROUP_OBJ, MASK, OTHER, SEARCH, USER, USER_OBJ, grant_passage, read_entries

STRANGER = 54_321


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


def entries(folder: Path) -> dict[tuple[int, int], int]:
    found = read_entries(folder, folder.stat().st_mode)
    return {(tag, number): granted for tag, granted, number in found if tag in (USER, MASK, USER_OBJ, OTHER)}


def granted(folder: Path, tag: int, number: int = 0xFFFFFFFF) -> int | None:
    return entries(folder).get((tag, number))


def test_a_closed_folder_lets_the_user_pass_and_nobody_else(closed: Path) -> None:
    grant_passage(closed / "inside", STRANGER)
    assert granted(closed, USER, STRANGER) == SEARCH
    assert granted(closed, MASK) == SEARCH
    assert granted(closed, USER_OBJ) == 0o7
    assert granted(closed, OTHER) == 0


def test_an_open_folder_is_left_alone(closed: Path) -> None:
    closed.chmod(0o711)
    grant_passage(closed / "inside", STRANGER)
    assert "system.posix_acl_access" not in os.listxattr(closed)


def test_the_users_own_folder_is_left_alone(closed: Path) -> None:
    grant_passage(closed / "inside", closed.stat().st_uid)
    assert "system.posix_acl_access" not in os.listxattr(closed)


def test_a_second_user_does_not_put_out_the_first(closed: Path) -> None:
    grant_passage(closed / "inside", STRANGER)
    grant_passage(closed / "inside", STRANGER + 1)
    assert granted(closed, USER, STRANGER) == SEARCH
    assert granted(closed, USER, STRANGER + 1) == SEARCH


def test_what_a_chmod_took_away_comes_back(closed: Path) -> None:
    grant_passage(closed / "inside", STRANGER)
    closed.chmod(0o700)
    assert granted(closed, MASK) == 0
    grant_passage(closed / "inside", STRANGER)
    assert granted(closed, MASK) == SEARCH


def test_the_group_keeps_what_it_had(closed: Path) -> None:
    closed.chmod(0o750)
    grant_passage(closed / "inside", STRANGER)
    found = {tag: allowed for tag, allowed, _ in read_entries(closed, closed.stat().st_mode)}
    assert found[GROUP_OBJ] == 0o5
    assert stat.S_IMODE(closed.stat().st_mode) == 0o750
