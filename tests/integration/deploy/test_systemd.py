"""The unit of systemd in `deploy/`, checked by systemd itself."""

import re
import subprocess
from pathlib import Path

import pytest

from services.cli import logs
from services.cli.supervisor import GRACE_SECONDS
from tests.support.needs import needs_program

UNIT = Path(__file__).parents[3] / "deploy" / "tellback.service"
EXPOSED = 20
"""The most exposure that is allowed, in tenths of systemd's scale from 0 to 10."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here."""
    made = tmp_path / UNIT.name
    made.write_text(UNIT.read_text().replace("/opt/tellback/bin/tellback", "/bin/true"))
    return made


def analyzed(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [needs_program("systemd-analyze", "systemd"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    done = analyzed("verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_little_is_exposed(unit: Path) -> None:
    done = analyzed("security", "--offline=true", f"--threshold={EXPOSED}", str(unit))
    assert done.returncode == 0, done.stdout


def test_it_waits_until_services_and_then_kafka_and_postgresql_have_ended() -> None:
    stop = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert stop
    assert int(stop[1]) > GRACE_SECONDS + logs.STOP_SECONDS
    assert "KillMode=mixed\n" in UNIT.read_text(), "`up` alone is told, and stops the others in order"
