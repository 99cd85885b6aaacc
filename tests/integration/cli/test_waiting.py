"""Commands that run once before the services wait for Kafka and PostgreSQL, where they are told to."""

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.cli.embedded.process import LOOPBACK, free_port
from tests.support.door import open_door
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

SECONDS = 60.0
WAIT = ("--wait", str(SECONDS))


class Command:
    """A command that runs, and what it prints."""

    def __init__(self, child: subprocess.Popen[bytes], log: Path) -> None:
        self.child = child
        self._log = log

    @property
    def said(self) -> str:
        """All that it has printed so far."""
        return self._log.read_text()

    async def waits(self) -> None:
        """It has said that it waits, and goes on."""
        await eventually(lambda: "waiting: " in self.said, timeout=SECONDS)
        assert self.child.poll() is None, self.said

    async def ends(self, code: int = os.EX_OK) -> str:
        """What it printed when it ended with this exit code."""
        await eventually(lambda: self.child.poll() is not None, timeout=SECONDS)
        assert self.child.returncode == code, self.said
        return self.said


class Doors:
    """The addresses that commands are given; nothing listens there unless a test opens them."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        url = urlsplit(environment.database_url)
        self.kafka = (free_port(), environment.kafka.addresses()[0][1])
        self.postgres = (free_port(), url.port or 0)
        self.variables = environment.variables() | {
            "TELLBACK_KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{self.kafka[0]}",
            "TELLBACK_DATABASE_URL": environment.database_url.replace(f":{url.port}/", f":{self.postgres[0]}/"),
            "TELLBACK_DATA_DIR": str(folder / "data"),
        }


Run = Callable[..., Command]


@pytest.fixture
def doors(environment: Environment, tmp_path: Path) -> Doors:
    return Doors(environment, tmp_path)


@pytest.fixture
def run(doors: Doors, tmp_path: Path) -> Iterator[Run]:
    """Starts a command; what still runs is stopped at the end."""
    started = []

    def begin(*words: str) -> Command:
        log = tmp_path / f"{secrets.token_hex(4)}.log"
        started.append(start(tellback(*words), log, doors.variables))
        return Command(started[-1], log)

    yield begin
    for child in started:
        end(child)


async def test_migrations_wait_for_postgresql(doors: Doors, run: Run) -> None:
    migration = run("migrate", *WAIT)
    await migration.waits()
    async with open_door(*doors.postgres):
        assert "collector" in await migration.ends()


async def test_topics_wait_for_kafka(doors: Doors, run: Run) -> None:
    topics = run("topics", "apply", *WAIT)
    await topics.waits()
    async with open_door(*doors.kafka):
        assert "as wanted" in await topics.ends()


async def test_setups_wait_and_print_no_password(doors: Doors, run: Run, tmp_path: Path) -> None:
    """What containers print is kept, and read by others."""
    setups = [run("dashboard", "setup", *WAIT), run("outreach", "setup", *WAIT)]
    for setup in setups:
        await setup.waits()
    async with open_door(*doors.postgres):
        said = [await setup.ends() for setup in setups]
        again = run("dashboard", "setup", *WAIT)
        assert await again.ends() == "", "there is an admin, who may have another password now"
    admin = tmp_path / "data" / "first_admin"
    assert str(admin) in said[0]
    assert admin.read_text().strip() not in said[0]
    assert (tmp_path / "data" / "dashboard_key").exists()
    assert (tmp_path / "data" / "outreach_key").exists()


async def test_a_command_that_has_waited_long_enough_says_what_is_away(run: Run) -> None:
    assert "(database_unavailable)" in await run("migrate", "--wait", "0.5").ends(code=3)
