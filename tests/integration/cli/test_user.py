"""`up` by root: warned of, asked about on a terminal, or run as another user altogether. All of this needs root."""

import json
import os
import pty
import pwd
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.cli.folder import DataFolder, DataFolderError
from services.cli.installation import run_on_new
from shared.settings import CommonSettings
from tests.support.home import Home, home_in
from tests.support.needs import needs_root
from tests.support.polling import eventually
from tests.support.processes import SOURCES, parts_folder, tellback

NAME = "nobody"
START_SECONDS = 120.0
BECOME = """
import json, os, sys
from pathlib import Path
from services.cli.user import become
folder = become(sys.argv[1], Path(sys.argv[2]))
(folder / "mine").touch()
try:
    os.setuid(0)
except PermissionError:
    print(json.dumps([os.getresuid(), os.getgroups(), os.environ["HOME"], os.environ["TELLBACK_DATA_DIR"]]))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may pass, unlike pytest's."""
    needs_root()
    with parts_folder() as made:
        made.chmod(0o755)
        yield made


def becoming(name: str, data: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-c", BECOME, name, str(data)]
    env = os.environ | SOURCES | {"TELLBACK_CACHE_DIR": str(data.parent / "cache")}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_root_is_given_up_for_good(folder: Path) -> None:
    user = pwd.getpwnam(NAME)
    done = becoming(NAME, folder / "data")
    ids, groups, home, data = json.loads(done.stdout)
    assert ids == [user.pw_uid] * 3
    assert set(groups) == set(os.getgrouplist(NAME, user.pw_gid))
    assert (home, data) == (user.pw_dir, str(folder / "data"))
    assert (folder / "data" / "mine").stat().st_uid == user.pw_uid
    assert (folder / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("name", "said"), [("nobody-of-this-name", "useradd"), ("root", "leave --user out")])
def test_whom_nobody_can_become_is_refused(folder: Path, name: str, said: str) -> None:
    done = becoming(name, folder / "data")
    assert done.returncode != 0
    assert said in done.stderr
    assert not (folder / "data").exists()


def test_a_folder_of_somebody_else_is_refused_both_ways(folder: Path) -> None:
    data = DataFolder(folder / "data")
    data.make()
    assert "chown -R nobody:" in becoming(NAME, data.path).stderr
    os.chown(data.path, pwd.getpwnam(NAME).pw_uid, -1)
    done = subprocess.run(
        tellback("up", "--data", str(data.path)), env=os.environ | SOURCES, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "--user nobody" in done.stderr
    with pytest.raises(DataFolderError, match="belongs to nobody"):
        run_on_new(data, unreached, lambda: None)


def test_a_folder_of_a_number_without_a_name_is_refused_by_it(folder: Path) -> None:
    data = DataFolder(folder / "data")
    data.make()
    os.chown(data.path, 54321, -1)
    with pytest.raises(DataFolderError, match="54321"):
        data.refuse_other_owner()


async def unreached(common: CommonSettings) -> None:
    """Work on parts that are never begun."""
    raise AssertionError(common)


def test_on_a_terminal_root_is_asked_and_may_say_no(folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = tellback("up", "--data", str(folder / "data"))
    process = subprocess.Popen(command, env=os.environ | SOURCES, stdin=theirs, stdout=theirs, stderr=theirs)
    os.write(ours, b"n\n")
    assert process.wait(60) == 2
    os.close(theirs)
    said = os.read(ours, 4_096).decode()
    os.close(ours)
    assert re.search(r"warning: started by root, .* run as root", said)
    assert "Go on as root?" in said
    assert not (folder / "data").exists()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_everything_runs_as_that_user(folder: Path) -> None:
    with home_in(folder) as home:
        home.up("--user", NAME)
        await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)
        assert who_runs(home) == {pwd.getpwnam(NAME).pw_uid}
        assert home.run("doctor", "--json").returncode == 0
        assert home.stop(signal.SIGINT) == 0


def who_runs(home: Home) -> set[int]:
    """The users of `up` and of all its descendants."""
    assert home.process
    up = psutil.Process(home.process.pid)
    processes = [up, *up.children(recursive=True)]
    assert {"java", "postgres"} <= {process.name() for process in processes}
    return {uid for process in processes for uid in process.uids()}
