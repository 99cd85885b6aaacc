"""The commands of the README, as they are written there, on a Tellback started with the demo."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import NAMED_NOWHERE, Home, home_in
from tests.support.polling import eventually
from tests.support.processes import SOURCES, end, parts_folder, start

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
BLOCKS: list[str] = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
ROWS = """account,respondent,date,score
northern-star,r1,2020-01-02,10.0
northern-star,r2,2020-01-03,3
southern-cross,r1,2020-02-01,7
southern-cross,r3,2020-02-01,
"""


def block(word: str) -> str:
    """The block of commands that contains a word."""
    found: list[str] = [text for text in BLOCKS if word in text]
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with parts_folder() as folder, home_in(folder) as home:
        yield home


@pytest.fixture(scope="module")
async def running(home: Home) -> Home:
    home.up("--demo")
    await eventually(home.says(r"/v1/follow-ups\?state=open"), 150)
    return home


def pasted(home: Home, commands: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The commands as a bash script for this installation: its ports instead of the usual ones, this Python's
    `tellback`."""
    here = commands.replace(".venv/bin/tellback", f'"{sys.executable}" -P -m services.cli.main')
    for number in range(5):
        here = here.replace(f"800{number}/", f"{home.port_base + number}/")
    env = {**os.environ, **SOURCES, **NAMED_NOWHERE, "TELLBACK_DATA_DIR": str(home.data)}
    return ("bash", "-ec", here), env


def run(home: Home, commands: str, folder: Path) -> str:
    argv, env = pasted(home, commands)
    done = subprocess.run(argv, env=env, cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_a_promoter_turns_passive_and_the_listener_shows_it(running: Home, tmp_path: Path) -> None:
    argv, env = pasted(running, block("webhook-listen"))
    shown = tmp_path / "listener.log"
    listener = start(argv, shown, env)
    try:
        await eventually(lambda: "listening" in shown.read_text().lower(), 60)
        accepted = json.loads(run(running, block("try-it"), tmp_path))
        assert accepted["status"] == "accepted"
        await eventually(lambda: listener.poll() is not None, 60)
        text = shown.read_text()
        assert listener.returncode == 0, text
        assert "follow_up.opened" in text
        assert "promoter_to_passive" in text
    finally:
        end(listener)


def test_every_endpoint_of_the_readme_has_something_to_show(running: Home, tmp_path: Path) -> None:
    score, person, portfolio, tasks, comparison = map(
        json.loads, run(running, block("get 8002"), tmp_path).strip().split("\n")
    )
    assert score["response_count"] > 0
    assert person["responses"][-1]["score"] == 7
    assert len(portfolio["groups"]) == 6
    assert "promoter_to_passive" in {task["kind"] for task in tasks["items"]}
    assert comparison["own_change"] is not None
    assert comparison["sentence"]


def test_a_file_is_imported_and_the_figures_are_held_against_it(running: Home, tmp_path: Path) -> None:
    """Here the scorer has the demo's answers too, so `verify` finds another portfolio and returns its exit code for
    that."""
    (tmp_path / "answers.csv").write_text(ROWS)
    importing, verifying = block("tellback import").strip().split("\n")
    assert "3 taken" in run(running, importing, tmp_path)
    argv, env = pasted(running, verifying + " --json")
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["rows_left_out"] == 1
    assert not {"northern-star", "southern-cross"} & set(found["different"])
    assert "(portfolio)" in found["different"]
