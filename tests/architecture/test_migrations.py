"""Revisions are named after their schema and numbered, and who keeps the directory has all versions of its tables."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import shared.db.directory
from shared.db.migrate import PACKAGES, folder_of

VERSION = re.compile(r"\bdirectory_ddl_v\d+\b")
VERSIONS = set(filter(VERSION.fullmatch, vars(shared.db.directory)))


def migrations(schema: str) -> list[Path]:
    folder = folder_of(schema)
    assert folder is not None
    return sorted(folder.glob("[0-9]*.py"))


def versions_called(schema: str) -> set[str]:
    called: set[str] = set()
    for path in migrations(schema):
        called.update(VERSION.findall(path.read_text(encoding="utf-8")))
    return called


KEEPERS = [schema for schema in PACKAGES if versions_called(schema)]


@pytest.mark.parametrize("schema", PACKAGES)
def test_revisions_are_named_after_their_schema_and_numbered(schema: str) -> None:
    before = None
    for number, path in enumerate(migrations(schema), start=1):
        module = import_module(f"{PACKAGES[schema]}.migrations.{path.stem}")
        assert path.name.startswith(f"{number:04}_")
        assert (module.revision, module.down_revision) == (f"{schema}_{number}", before)
        before = module.revision
    assert before is not None


def test_five_services_keep_the_directory() -> None:
    assert sorted(KEEPERS) == ["alerting", "benchmark", "collector", "outreach", "scorer"]


@pytest.mark.parametrize("schema", KEEPERS)
def test_who_keeps_the_directory_has_all_versions_of_its_tables(schema: str) -> None:
    assert versions_called(schema) == VERSIONS
