"""docker-compose.yml says only what exists: commands, ports, variables, versions; and what containers need to go on by
themselves for years. None is started here: tests/image does."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import yaml

from services.cli.embedded.postgres import binary
from services.cli.main import app
from shared.db.engine import POOL_SIZE
from shared.db.roles import ROLE
from tests.architecture.tree import ROOT, committed
from tools.reference import settings

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
PARTS: dict[str, Any] = COMPOSE["services"]
OURS = {name: part for name, part in PARTS.items() if part["image"].startswith("tellback")}
SERVED = {part["command"][1]: part for part in OURS.values() if part["command"][0] == "serve"}
ONCE = OURS.keys() - SERVED.keys()
SECRET = re.compile(r"\$\{(\w+)(?::\?[^}]+)?\}")
ROLES = (ROOT / "deploy" / "roles.sql").read_text()
SETTABLE_IN_ENV = {"TELLBACK_PARTITIONS"}
"""What is no secret and stands in .env all the same, as it is only asked for once."""
MEGABYTES = {"m": 1, "g": 1024}
OF_THE_MACHINE = 11 * 1024
"""Megabytes that all long-lived containers may take together."""
SHOWING = ("docker-compose.yml", "secrets.sh", "Dockerfile")
"""Files that show commands, beside the documents."""
WORKERS = 12
"""Processes of the collector for which PostgreSQL has connections."""


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
    with command.make_context(name, list(words)) as context:
        values = [str(value) for value in context.params.values()]
        assert all(given in values or f"{given}.0" in values for given in words if not given.startswith("-"))


def test_commands_that_are_shown_name_containers_and_need_no_option_for_every_call() -> None:
    """Compose reads .env by itself: a command that needed --env-file would fail when it is typed as shown."""
    texts = [path.read_text() for path in committed() if path.suffix == ".md" or path.name in SHOWING]
    shown = re.findall(r"docker compose ((?:-\S+ )*)(exec|logs|run|stop|restart)((?: -\S+)*) (.+)", "\n".join(texts))
    assert len(shown) > 10
    for before, verb, options, words in shown:
        assert before == "", f"docker compose {before}{verb}"
        named = words.split()[0].strip("`.,)")
        assert named in PARTS or "--entrypoint" in options, f"docker compose {verb} {words}"


def test_one_container_alone_builds_the_image_that_all_of_ours_run() -> None:
    """Compose builds in parallel: several builds with one tag end with "already exists"."""
    assert [name for name, part in PARTS.items() if "build" in part] == ["migrate"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {part["image"] for part in OURS.values()} == {f"tellback:{version}"}
    for name, part in OURS.items():
        assert name == "migrate" or "migrate" in _before(part), "nothing of ours starts before the image is built"


def _before(part: dict[str, Any]) -> Iterator[str]:
    """The containers that a container waits for, and those that these wait for."""
    for name in part.get("depends_on", {}):
        yield name
        yield from _before(PARTS[name])


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_container_has_limits_and_a_log_that_ends(name: str) -> None:
    part = PARTS[name]
    assert part["logging"]["options"].keys() == {"max-size", "max-file"}
    assert part["mem_limit"]
    assert part["pids_limit"]
    assert part["security_opt"] == ["no-new-privileges:true"]


def test_all_containers_together_fit_on_a_machine() -> None:
    limits = [part["mem_limit"] for part in PARTS.values() if part["restart"] == "unless-stopped"]
    assert sum(int(limit[:-1]) * MEGABYTES[limit[-1]] for limit in limits) <= OF_THE_MACHINE


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_container_starts_again_by_itself(name: str) -> None:
    if name in ONCE:
        assert PARTS[name]["restart"].startswith("on-failure:")
        assert "--wait" in PARTS[name]["command"]
    else:
        assert PARTS[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_of_ours_writes_to_its_volume_alone(name: str) -> None:
    """What is written to /tmp is memory, so files that were sent have to lie on the volume."""
    part = OURS[name]
    assert part["read_only"]
    assert part["cap_drop"] == ["ALL"]
    assert part["tmpfs"] == ["/tmp:size=64m"]  # noqa: S108 - it is the container's
    if name == "collector":
        assert part["volumes"] == ["collector:/var/lib/tellback"]


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_service_is_published_on_loopback_at_its_own_port(name: str) -> None:
    port = settings.variables()[f"TELLBACK_{name.upper()}_PORT"].default
    assert SERVED[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    probe = SERVED[name]["healthcheck"]["test"]
    assert f"http://127.0.0.1:{port}/health/ready" in probe[-1]
    compile(probe[-1], name, "exec")


def test_only_the_services_are_published_and_what_holds_data_has_no_way_out() -> None:
    assert {name for name, part in PARTS.items() if "ports" in part} == SERVED.keys()
    assert COMPOSE["networks"]["data"] == {"internal": True}
    for name, part in PARTS.items():
        if name in SERVED:
            assert part["networks"] == ["default", "data"]
        else:
            assert part["networks"] == ["data"]


def test_postgres_is_healthy_only_by_address() -> None:
    """The image's own script starts a server on the socket first, and stops it again."""
    probe = PARTS["postgres"]["healthcheck"]["test"]
    assert probe[probe.index("--host") + 1] == "127.0.0.1"


def test_kafka_is_looked_at_without_starting_java() -> None:
    probe = PARTS["kafka"]["healthcheck"]["test"]
    assert probe == ["CMD", "bash", "-c", "</dev/tcp/localhost/9092"]
    assert "localhost:9092" not in PARTS["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert PARTS["kafka"]["environment"]["KAFKA_LISTENERS"].startswith("PLAINTEXT://:9092,")


def test_postgres_has_connections_for_all_processes() -> None:
    setting = PARTS["postgres"]["command"][-1]
    reserved_for_superusers = 3
    pools = (len(SERVED) - 1 + WORKERS) * POOL_SIZE + 1  # and the one that alerting claims deliveries with
    assert pools + len(ONCE) + reserved_for_superusers <= int(setting.removeprefix("max_connections="))
    assert "--workers" not in SERVED["collector"]["command"], "TELLBACK_COLLECTOR_WORKERS of settings.env says it"


def test_each_service_has_a_role_of_its_own_and_what_runs_once_is_the_owner() -> None:
    for name, part in OURS.items():
        user, password = re.fullmatch(  # type: ignore[union-attr]
            r"postgresql://(\w+):\$\{(\w+)(?::[^}]+)?\}@postgres:5432/tellback",
            part["environment"]["TELLBACK_DATABASE_URL"],
        ).groups()
        if name in ONCE:
            assert (user, password) == (PARTS["postgres"]["environment"]["POSTGRES_USER"], "POSTGRES_PASSWORD")
        else:
            assert (user, password) == (ROLE.format(name), f"{name.upper()}_PASSWORD")
            assert f"\\getenv {name} {password}" in ROLES
            assert f"create role {user} login password :'{name}';" in ROLES
    assert "./deploy/roles.sql:/docker-entrypoint-initdb.d/roles.sql:ro" in PARTS["postgres"]["volumes"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_setting_reaches_a_container(name: str) -> None:
    """By settings.env, but for what makes the containers one installation: what `environment` says wins."""
    part = OURS[name]
    assert part["env_file"] == [{"path": "deploy/settings.env", "required": False}]
    fixed = part["environment"].keys() - SETTABLE_IN_ENV
    for variable in fixed:
        wired = variable.endswith(("_BOOTSTRAP_SERVERS", "_URL", "_API_KEY_FILE", "TELLBACK_SECRET_KEY"))
        assert wired, f"{variable} cannot be set"
        assert not variable.endswith("_PUBLIC_URL")


def test_every_variable_of_ours_is_a_setting_and_every_required_setting_is_given() -> None:
    known = settings.variables()
    names = known.keys() | {f"{name}_FILE" for name in known}
    required = {name for name, variable in known.items() if variable.default is None}
    for part in OURS.values():
        assert {name for name in part["environment"] if name.startswith("TELLBACK_")} - names == set()
        assert required - part["environment"].keys() == set()


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


def test_the_script_makes_every_secret_and_none_has_a_default() -> None:
    made = dict(line.split("=") for line in _secrets() if not line.startswith("#"))
    asked = set(re.findall(r"\$\{(\w+)", TEXT)) - SETTABLE_IN_ENV
    assert set(re.findall(r"\$\{(\w+):\?", TEXT)) == asked == made.keys()
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in made.values())
    assert made["TELLBACK_SECRET_KEY"] not in "".join(_secrets()), "the next run makes others"
    for part in PARTS.values():
        for name, value in part.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|KEY$", name):
                assert SECRET.fullmatch(value)


def _secrets() -> list[str]:
    done = subprocess.run([ROOT / "deploy" / "secrets.sh"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_kafka_and_postgres_are_the_versions_that_are_embedded() -> None:
    pinned = json.loads((ROOT / "services" / "cli" / "embedded" / "kafka.lock.json").read_text())["kafka"]
    assert PARTS["kafka"]["image"] == f"apache/kafka:{pinned}"
    said = subprocess.run([binary("postgres"), "--version"], check=True, capture_output=True, text=True).stdout
    assert PARTS["postgres"]["image"] == f"postgres:{said.split()[-1]}"


def test_every_image_is_pinned() -> None:
    images = {part["image"] for part in PARTS.values()}
    assert [image for image in images if not re.search(r":\d+\.\d+", image)] == []


def test_services_wait_for_what_they_need() -> None:
    for service, part in SERVED.items():
        needed = {"migrate", "topics"} | ({f"{service}-setup"} & PARTS.keys())
        assert {name: wait["condition"] for name, wait in part["depends_on"].items()} == dict.fromkeys(
            needed, "service_completed_successfully"
        )
