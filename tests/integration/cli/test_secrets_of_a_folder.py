"""`tellback secrets` on a data folder, whose ring Tellback itself changes, with the commands of the documents."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.console import Exit
from services.cli.folder import DataFolder
from services.cli.ring.keeping import add_key
from shared.key_ring import retired
from tests.support.backups import backed_up
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.home import Home, home_in
from tests.support.processes import parts_folder
from tests.support.rings import made_with

DOCUMENT = Path(__file__).parents[3] / "docs" / "operations.md"
OLD, NEW = "Zk3v9x0A1b2C3d4E5f6G7h8I9j0K1l2M3", "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"


@pytest.fixture
def home() -> Iterator[Home]:
    with parts_folder() as folder, home_in(folder) as found:
        yield found


@pytest.fixture
async def backup(database_only: Environment, tmp_path: Path) -> Path:
    """A backup of a database with one of everything that a key makes, and no page that may hold a token."""
    await made_with(database_only)
    async with connected(database_only.database_url) as connection:
        await connection.execute("update access.api_keys set revoked_at = now()")
    return (await backed_up(database_only, tmp_path / "backup")).path


def documented() -> list[list[str]]:
    """The `tellback secrets` commands of one machine."""
    text = DOCUMENT.read_text(encoding="utf-8")
    [block] = [block for block in text.split("```bash\n") if block.startswith("tellback down\ntellback secrets")]
    found = []
    for line in block.partition("```")[0].splitlines():
        words = line.partition("#")[0].split()
        if words[1] == "secrets":
            found.append(words[1:])
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_commands_of_the_documents_rotate_the_ring_of_a_data_folder(
    home: Home, backup: Path, database_only: Environment
) -> None:
    assert documented() == [["secrets", "rotate"], ["secrets", "retire"]]
    restored = home.run("restore", str(backup))
    assert restored.returncode == Exit.OK, restored.stderr
    ring, old = home.data / "secret_key", database_only.common.key_ring[0]
    assert ring.read_text().split() == [old]
    rotate, retire = documented()
    rotated = home.run(*rotate)
    assert rotated.returncode == Exit.OK, rotated.stderr
    assert "secrets of webhook endpoints: 1 sealed anew" in rotated.stdout
    new, older = ring.read_text().split()
    assert (older, stat.S_IMODE(ring.stat().st_mode)) == (old, 0o600)
    assert new not in rotated.stdout
    again = json.loads(home.run(*rotate, "--json").stdout)
    assert again == {"added": False, "sealed": {}}
    ended = home.run(*retire)
    assert ended.returncode == Exit.OK, ended.stderr
    assert ring.read_text().split() == [new, retired(old)]
    told = json.loads(home.run("secrets", "status", "--json").stdout)
    assert [key["state"] for key in told["keys"]] == ["newest", "retired"]
    assert told["lost"] == []


def test_a_new_key_is_put_before_one_key_and_not_before_a_rotation_that_is_under_way(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.make()
    folder.secret_key.write_text(f"{OLD}\n{retired(NEW)}\n")
    assert add_key(folder)
    new, *others = folder.secret_key.read_text().split()
    assert (others, len(new) >= 32, stat.S_IMODE(folder.secret_key.stat().st_mode)) == (
        [OLD, retired(NEW)],
        True,
        0o600,
    )
    assert not add_key(folder)
    assert folder.secret_key.read_text().split() == [new, *others]


def test_a_running_up_is_to_be_stopped_before_a_key_is_added(tmp_path: Path, home: Home) -> None:
    folder = DataFolder(home.data)
    folder.make()
    folder.make_secret_key()
    before = folder.secret_key.read_text()
    with folder.held(home.port_base):
        refused = home.run("secrets", "rotate")
    assert refused.returncode == Exit.BUSY
    assert "stop it with `tellback down`" in refused.stderr
    assert folder.secret_key.read_text() == before
