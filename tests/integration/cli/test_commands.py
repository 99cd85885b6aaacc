"""Keys, migrations, topics and settings from the command line, for people and for machines."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli.console import Exit
from services.cli.main import app
from shared.topics import TOPICS
from tests.support.environment import Environment

pytestmark = pytest.mark.usefixtures("chosen")


@pytest.fixture
def chosen(module_environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's settings as environment variables of this process."""
    for name, value in module_environment.variables().items():
        monkeypatch.setenv(name, value)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def asked(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == Exit.OK
    return json.loads(done.stdout)


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked() -> None:
    token = run("keys", "create", "survey frontend", "--scope", "ingest").stdout.strip()
    kind, key_id, secret = token.split("_", 2)
    assert (kind, len(key_id)) == ("tb", 12)
    (listed,) = [key for key in asked("keys", "list") if key["id"] == key_id]
    assert (listed["name"], listed["scopes"], listed["state"]) == ("survey frontend", ["ingest"], "live")
    assert secret not in run("keys", "list", "--json").stdout
    assert run("keys", "revoke", key_id).exit_code == Exit.OK
    (listed,) = [key for key in asked("keys", "list") if key["id"] == key_id]
    assert listed["state"] == "revoked"


def test_a_key_can_be_limited_to_an_owner_and_in_time() -> None:
    made = asked("keys", "create", "ada", "--scope", "all", "--owner-email", "Ada@Example.com", "--days", "30")
    assert made["owner_email"] == "ada@example.com"
    assert made["scopes"] == ["act", "erase", "ingest", "manage", "read"]
    assert made["expires_at"] > made["created_at"]


def test_migrating_again_changes_nothing() -> None:
    found = asked("migrate")
    assert {level["schema"] for level in found} >= {"access", "collector", "scorer"}
    assert all(level["before"] == level["now"] for level in found)


def test_applying_topics_again_changes_nothing() -> None:
    assert {each["outcome"] for each in asked("topics", "apply")} == {"as wanted"}
    listed = asked("topics", "list")
    assert len(listed) == len(TOPICS)
    assert all(each["exists"] and not each["differs"] for each in listed)


def test_settings_are_shown_with_secrets_masked(module_environment: Environment) -> None:
    shown = run("config", "show", "--json")
    assert module_environment.common.secret_key.get_secret_value() not in shown.stdout
    settings = json.loads(shown.stdout)["settings"]
    assert settings["TELLBACK_SECRET_KEY"] == "********"
    assert settings["TELLBACK_TOPIC_PREFIX"] == module_environment.topic_prefix


def test_a_misspelt_setting_is_named_with_the_one_it_resembles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLBACK_SCORER_PROT", "9000")
    assert "unknown: TELLBACK_SCORER_PROT (did you mean TELLBACK_SCORER_PORT?)" in run("config", "show").stdout


def test_a_wrong_setting_has_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLBACK_SCORER_PORT", "a lot")
    done = run("config", "show")
    assert done.exit_code == Exit.USAGE
    assert "wrong: TELLBACK_SCORER_PORT" in done.stdout
