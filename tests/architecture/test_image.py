"""The image holds what the services need, and nothing beside it."""

import re
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT
from tools.reference import settings

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COPIED = [
    source
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for source in sources.split()
]


def test_what_the_image_copies_exists_and_it_does_not_run_as_root() -> None:
    assert [source for source in COPIED if not Path(ROOT, source).exists()] == []
    assert re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE) == ["10001"]
    assert DOCKERFILE.rindex("USER 10001") > DOCKERFILE.rindex("FROM ")
    set_variables = set(re.findall(r"TELLBACK_\w+(?==)", DOCKERFILE))
    assert set_variables - settings.variables().keys() == set()


def test_a_volume_of_ours_lies_where_the_image_has_a_folder_of_its_user() -> None:
    """Docker makes a new volume what the folder of the image is, and where there is none, root's."""
    made = re.search(r"install --directory --owner 10001 --mode 700 ([^\\\n]+)", DOCKERFILE)
    assert made
    parts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    volumes = [volume for part in parts if part["image"].startswith("tellback") for volume in part.get("volumes", [])]
    assert {volume.split(":")[1] for volume in volumes} == set(made[1].split())


def test_the_build_is_sent_what_it_copies_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert rules[-1] == "**/__pycache__"
    assert sorted(rule.removeprefix("!") for rule in rules[1:-1]) == sorted(COPIED)


def test_the_image_takes_from_the_lock_all_that_builds_the_wheel() -> None:
    listed = re.search(r"\\\((.+)\\\)==", DOCKERFILE)
    assert listed
    taken = set(listed[1].split("\\|"))
    lock = (ROOT / "requirements.lock").read_text()
    assert [package for package in taken if not re.search(rf"^{package}==", lock, re.MULTILINE)] == []
    assert taken == _needed_by("hatchling", set())


def test_the_image_holds_what_tellback_needs_without_the_embedded_parts() -> None:
    embedded = {line for line in _lines(ROOT / "deploy" / "embedded.txt") if not line.startswith("#")}
    stated = {canonicalize_name(Requirement(line).name) for line in metadata.requires("tellback") or []}
    assert embedded < stated, "who installs with pip has them"
    here = _needed_by("tellback", embedded) - {"tellback"}
    locked = {line.split("==")[0] for line in _lines(ROOT / "deploy" / "image.lock") if "==" in line}
    assert here - locked == set()
    assert locked & _needed_by("tellback", set()) == here


def test_both_locks_hold_the_same_versions() -> None:
    pins = {}
    for name in ("deploy/image.lock", "requirements.lock"):
        pins[name] = {line.split()[0] for line in _lines(ROOT / name) if "==" in line}
    assert pins["deploy/image.lock"] < pins["requirements.lock"]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def _needed_by(distribution: str, left_out: set[str]) -> set[str]:
    """The distribution and, in turn, what it needs on this Python, without what is left out."""
    needed, open_ones = set[str](), [(distribution, "")]
    looked_at = set[tuple[str, str]]()
    while open_ones:
        name, extra = open_ones.pop()
        if (name, extra) in looked_at:
            continue
        looked_at.add((name, extra))
        needed.add(name)
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            named = canonicalize_name(requirement.name)
            if named in left_out:
                continue
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                open_ones += [(named, other) for other in ("", *requirement.extras)]
    return needed
