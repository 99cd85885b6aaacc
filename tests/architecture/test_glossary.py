"""The glossary speaks of what there is: every term has one sentence and a class that exists."""

import re
from importlib import import_module

from tests.architecture.tree import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
ROW = re.compile(r"\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \| `(?P<module>[\w.]+)\.(?P<name>\w+)` \|")


def rows() -> list[re.Match[str]]:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.startswith("| ") and not line.startswith(("| term", "| ---"))]
    found = []
    for line in wanted:
        row = ROW.fullmatch(line)
        assert row is not None, f"not a term, a sentence and a class: {line}"
        found.append(row)
    return found


def test_every_class_is_there() -> None:
    missing = [
        f"{row['module']}.{row['name']}"
        for row in rows()
        if not isinstance(getattr(import_module(row["module"]), row["name"], None), type)
    ]
    assert missing == []


def test_a_term_stands_once_with_one_sentence() -> None:
    terms = [row["term"] for row in rows()]
    assert len(terms) == len(set(terms)) >= 30
    assert [row["term"] for row in rows() if not re.fullmatch(r"[^.]+(\.\w[^.]*)*\.", row["meaning"])] == []


def test_who_contributes_finds_it() -> None:
    assert "(docs/glossary.md)" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
