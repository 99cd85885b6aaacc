"""Whoever changes a row of the scorer's `responses` says so: those who keep a copy are told of nothing else."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.tree import CODE, modules, name, parsed

UPDATE = re.compile(
    r"\bupdate\s+(?:only\s+)?(?:scorer\.)?responses\b|\binto\s+(?:scorer\.)?responses\b.*\bdo\s+update\b",
    re.IGNORECASE | re.DOTALL,
)


def test_every_update_of_responses_says_that_the_row_changed() -> None:
    updates = {
        f"{name(path)}:{line}": "{CHANGED}" in text
        for path in modules(*CODE)
        if name(path).startswith("services/scorer/")
        for line, text in texts(parsed(path))
        if UPDATE.search(text)
    }
    assert [place for place, says_so in updates.items() if not says_so] == []
    assert len(updates) >= 2, "the statements are not found any more"


def test_an_update_is_found_however_it_is_written() -> None:
    for statement in (
        "update responses set score = 1",
        "update\n    responses r set score = 1",
        "insert into responses (a) values (1)\non conflict (a) do update set a = 2",
        "with moved as (update scorer.responses set score = 1 returning score) select score from moved",
    ):
        assert UPDATE.search(statement), statement
    assert not UPDATE.search("update response_changes set changes = 1")


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string; what is put into one stands as `{EXPRESSION}`."""
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = []
            for part in node.values:
                if isinstance(part, ast.Constant):
                    parts.append(str(part.value))
                else:
                    parts.append(ast.unparse(part))
            yield node.lineno, "".join(parts)
