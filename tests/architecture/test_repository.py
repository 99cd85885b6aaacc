"""The repository says the same wherever it is cloned: no machine, no registry; Makefile and locks whole."""

import re
import subprocess
import tomllib

from tests.architecture.tree import ROOT, committed, name

# Written in pieces, so that this file does not find itself.
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(?:" + "work" + r"|root|Users/\w+|home/(?!tellback\b)\w+|tmp/(?!tellback\b)\w+)/"
)
REGISTRY_HOSTS = re.compile(
    r"\b[\w-]*(?:" + "|".join(("pypi", "pythonhosted", "maven", "npmjs", "crates", "jfrog", "nexus")) + r")[\w.-]*"
    r"\.(?:org|com|io|net|local)\b"
)
LOCKS = ("requirements.lock", "deploy/requirements.lock", "deploy/image.lock")


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if match := MACHINE_PATHS.search(line) or REGISTRY_HOSTS.search(line):
                found.append(f"{name(path)}:{number} {match[0]}")
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert MACHINE_PATHS.search("cd /" + "work/main")
    assert MACHINE_PATHS.search("source /" + "home/ada/x")
    assert not MACHINE_PATHS.search("https://example.com/" + "work/main")
    assert REGISTRY_HOSTS.search("https://" + "pypi" + ".org/simple")
    assert REGISTRY_HOSTS.search("repo1." + "maven" + ".org")
    assert not REGISTRY_HOSTS.search("jars from Maven, wheels from an index")


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    printed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+) +\w", printed, re.MULTILINE)) == targets
    assert set(re.findall(r"^\.PHONY: ([a-z-]+)$", makefile, re.MULTILINE)) == targets


def test_every_package_in_a_lock_has_its_hash_and_no_lock_has_an_address() -> None:
    for lock in LOCKS:
        text = (ROOT / lock).read_text()
        assert "://" not in text
        for stanza in stanzas(text).values():
            assert "--hash=sha256:" in stanza


def test_the_lock_of_the_image_says_what_that_of_running_says_and_that_one_what_developers_have() -> None:
    everything, running, image = (stanzas((ROOT / lock).read_text()) for lock in LOCKS)
    assert {package: text for package, text in running.items() if everything.get(package) != text} == {}
    assert {package: text for package, text in image.items() if running.get(package) != text} == {}


def test_the_lock_holds_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"].values()
    everything, running, _image = (stanzas((ROOT / lock).read_text()) for lock in LOCKS)
    needed = {_package(item) for item in project["project"]["dependencies"]}
    for_developers = {_package(item) for group in groups for item in group if isinstance(item, str)}
    assert needed - running.keys() == set()
    assert for_developers - everything.keys() == set()


def stanzas(lock: str) -> dict[str, str]:
    """Package name -> its pinned version and hashes. The markers are left out: a developer's tool may need a
    package where the services do not."""
    parts = re.split(r"^(?=[a-z0-9])", re.sub(r" ; [^\\\n]*", " ", lock), flags=re.MULTILINE)
    return {_package(part): part for part in parts if part.strip()}


def _package(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;! ]", requirement)[0]).lower()
