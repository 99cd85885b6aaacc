"""What the documents name exists: make targets, commands, other documents."""

import re
from typing import Any

import typer

from services.cli.main import app
from tests.architecture.tree import ROOT, committed, name

# A command at the start of a line or of a code span, with the words after it.
COMMAND = re.compile(r"(?:(?:^|`|\$ )tellback|run --rm migrate) ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", re.MULTILINE)
TEXTS = tuple(path for path in committed() if path.suffix == ".md" or path.name in ("docker-compose.yml", "secrets.sh"))


def test_every_command_that_the_documents_name_exists() -> None:
    missing = [
        f"{name(path)}: tellback {command} {word}".rstrip()
        for path in TEXTS
        for command, word in COMMAND.findall(path.read_text(encoding="utf-8"))
        if not _is_command(command, word)
    ]
    assert missing == []


def _is_command(command: str, word: str) -> bool:
    commands: dict[str, Any] = getattr(typer.main.get_command(app), "commands", {})
    known = commands.get(command)
    inner = getattr(known, "commands", None)
    return known is not None and (not word or inner is None or word in inner)


def test_every_target_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    texts = [path for path in committed() if path.suffix == ".md"]
    named = {
        target: name(path)
        for path in texts
        for target in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", path.read_text(), re.MULTILINE)
        for target in target
        if target
    }
    assert {target: path for target, path in named.items() if target not in targets} == {}


def test_every_document_that_the_code_names_exists() -> None:
    present = {path.name for path in committed() if path.suffix == ".md"}
    named = {
        (document, name(path))
        for path in committed()
        if path.suffix == ".py"
        for document in re.findall(r"[\w-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert {(document, path) for document, path in named if document not in present} == set()


def test_every_test_that_the_documents_name_exists() -> None:
    present = {path.name for path in committed() if path.suffix == ".py"}
    for path in committed():
        if path.suffix == ".py" and path.is_relative_to(ROOT / "tests"):
            present.update(re.findall(r"\bdef (test_\w+)", path.read_text(encoding="utf-8")))
    named = set()
    for path in committed():
        if path.suffix == ".md":
            for test in re.findall(r"`(?:[\w/]+/)?(test_\w+(?:\.py)?)`", path.read_text(encoding="utf-8")):
                named.add((test, name(path)))
    assert len(named) > 100
    assert {(test, path) for test, path in named if test not in present} == set()


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{name(path)}: {target}"
        for path in committed()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []
