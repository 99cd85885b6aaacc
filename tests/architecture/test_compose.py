"""docker-compose.yml and the image say only what exists: commands, ports, variables, versions. Neither is started."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from services.cli.main import app
from tests.architecture.tree import ROOT
from tools.reference import settings

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ENV_EXAMPLE = (ROOT / "deploy" / "env.example").read_text()
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
OURS = {name: part for name, part in COMPOSE["services"].items() if part["image"].startswith("tellback")}
SERVED = {part["command"][1]: part for part in OURS.values() if part["command"][0] == "serve"}
REQUIRED_VARIABLE = re.compile(r"\$\{(\w+):\?[^}]+\}")


def test_the_containers_run_every_service_and_no_other() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/app.py")}
    assert folders == SERVED.keys()


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_runs_a_command_that_exists(name: str) -> None:
    command: Any = typer.main.get_command(app)
    words = list(OURS[name]["command"])
    while hasattr(command, "commands"):
        assert words[:1], f"{command.name} needs a command"
        assert words[0] in command.commands
        command = command.commands[words.pop(0)]
    with command.make_context(name, words) as context:
        assert all(given in context.params.values() for given in words if not given.startswith("-"))


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_service_is_published_on_loopback_at_its_own_port(name: str) -> None:
    port = settings.variables()[f"TELLBACK_{name.upper()}_PORT"].default
    assert SERVED[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    probe = SERVED[name]["healthcheck"]["test"]
    assert f"http://127.0.0.1:{port}/health/ready" in probe[-1]
    compile(probe[-1], name, "exec")


def test_only_the_services_are_published() -> None:
    assert {name for name, part in COMPOSE["services"].items() if "ports" in part} == SERVED.keys()


def test_every_variable_of_ours_is_a_setting_and_every_required_setting_is_given() -> None:
    known = settings.variables()
    names = known.keys() | {f"{name}_FILE" for name in known}
    for part in OURS.values():
        assert {name for name in part["environment"] if name.startswith("TELLBACK_")} - names == set()
    required = {name for name, variable in known.items() if variable.default is None}
    for part in OURS.values():
        assert required - part["environment"].keys() == set()
    assert set(re.findall(r"TELLBACK_\w+(?==)", DOCKERFILE + ENV_EXAMPLE)) - names == set()


def test_services_that_ask_each_other_are_told_where() -> None:
    """The defaults of such addresses are of one machine; in containers each has a name."""
    for name, part in SERVED.items():
        asked = {
            variable.name
            for owner in settings.classes()
            if owner.__module__ == f"services.{name}.settings"
            for variable in owner.variables()
            if variable.name.endswith("_URL") and not variable.name.endswith("_PUBLIC_URL")
        }
        for variable in asked:
            other, port = re.fullmatch(r"http://(\w+):(\d+)", part["environment"][variable]).groups()  # type: ignore[union-attr]
            assert SERVED[other]["ports"][0].endswith(f":{port}")


def test_no_secret_has_a_default_and_the_example_names_them_all() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == set(REQUIRED_VARIABLE.findall(text))
    assert set(re.findall(r"^(\w+)=$", ENV_EXAMPLE, re.MULTILINE)) == set(REQUIRED_VARIABLE.findall(text))
    assert re.findall(r"^\w+=.+$", ENV_EXAMPLE, re.MULTILINE) == []
    for part in COMPOSE["services"].values():
        for name, value in part.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|KEY$", name):
                assert REQUIRED_VARIABLE.fullmatch(value)


def test_kafka_is_the_version_that_is_embedded() -> None:
    pinned = json.loads((ROOT / "services" / "cli" / "embedded" / "kafka.lock.json").read_text())["kafka"]
    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{pinned}"


def test_our_image_carries_our_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {part["image"] for part in OURS.values()} == {f"tellback:{version}"}


def test_every_image_is_pinned() -> None:
    images = {part["image"] for part in COMPOSE["services"].values()}
    assert [image for image in images if not re.search(r":\d+\.\d+", image)] == []


def test_services_wait_for_what_they_need() -> None:
    for service, part in SERVED.items():
        needed = {"migrate", "topics"} | ({f"{service}-setup"} & COMPOSE["services"].keys())
        assert {name: wait["condition"] for name, wait in part["depends_on"].items()} == dict.fromkeys(
            needed, "service_completed_successfully"
        )


def test_what_the_image_copies_exists_and_it_does_not_run_as_root() -> None:
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert [source for source in sources.split() if not Path(ROOT, source).exists()] == []
    assert re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE) == ["10001"]
    assert DOCKERFILE.rindex("USER 10001") > DOCKERFILE.rindex("FROM ")


def test_the_image_takes_from_the_lock_all_that_builds_the_wheel() -> None:
    listed = re.search(r"\\\((.+)\\\)==", DOCKERFILE)
    assert listed
    taken = set(listed[1].split("\\|"))
    lock = (ROOT / "requirements.lock").read_text()
    assert [package for package in taken if not re.search(rf"^{package}==", lock, re.MULTILINE)] == []
    assert taken == _needed_by("hatchling")


def _needed_by(distribution: str) -> set[str]:
    """The distribution and, in turn, what it needs on this Python."""
    needed, open_ones = set[str](), [distribution]
    while open_ones:
        name = open_ones.pop()
        needed.add(name)
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                open_ones += {canonicalize_name(requirement.name)} - needed
    return needed
