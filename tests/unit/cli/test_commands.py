"""The command line as a whole: its help, and its exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.console import Busy, Exit, WrongUse, exit_code
from services.cli.main import COMMANDS, GROUPS, app
from shared.errors import Halt, TellbackError, Unavailable
from shared.settings import InvalidSettings
from shared.version import version


def test_every_command_says_what_it_does() -> None:
    root = typer.main.get_command(app)
    shown = CliRunner().invoke(app, ["--help"]).output
    for name in [name for name, _ in COMMANDS] + [name for name, _ in GROUPS]:
        assert root.commands[name].get_short_help_str()  # type: ignore[attr-defined]
        assert f" {name} " in shown


def leaves(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command without subcommands, with its full name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for part in inner:
        yield from leaves(inner[part], f"{name} {part}".strip())


def test_every_command_speaks_json_but_those_that_run_on_or_let_people_in() -> None:
    silent = {
        name
        for name, command in leaves(typer.main.get_command(app))
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert silent == {"up", "serve", "setup", "dashboard setup", "dashboard password", "outreach setup"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Busy("port_taken"), Exit.BUSY),
        (InvalidSettings("invalid_settings"), Exit.USAGE),
        (WrongUse("unknown_service"), Exit.USAGE),
        (Unavailable("kafka_unavailable"), Exit.UNAVAILABLE),
        (Halt("unknown_revision"), Exit.FAILED),
    ],
)
def test_an_error_has_its_exit_code(error: TellbackError, code: Exit) -> None:
    assert exit_code(error) is code


def test_the_status_of_nothing_is_told_to_people_and_machines(tmp_path: Path) -> None:
    people = CliRunner().invoke(app, ["status", "--data", str(tmp_path)])
    assert (people.exit_code, people.output) == (Exit.UNAVAILABLE, f"nothing runs on {tmp_path}\n")
    machines = CliRunner().invoke(app, ["status", "--data", str(tmp_path), "--json"])
    assert json.loads(machines.output)["running"] is False


def test_down_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["down", "--data", str(tmp_path)])
    assert (done.exit_code, done.output) == (Exit.OK, f"nothing runs on {tmp_path}\n")
    machines = CliRunner().invoke(app, ["down", "--data", str(tmp_path), "--json"])
    assert json.loads(machines.output) == {"stopped": None, "ended": [], "data": str(tmp_path)}


def test_it_says_its_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output.strip()) == (Exit.OK, version())


def test_an_unknown_service_is_refused_with_those_there_are() -> None:
    done = CliRunner().invoke(app, ["serve", "bakery"])
    assert done.exit_code == Exit.USAGE
    assert "collector" in done.output
