"""Columns are named: one that a later version adds must not disturb a version that runs beside it.

A star may stand where the statement itself says which columns there are: for `unnest` and for a subquery; and within
parentheses, where the statement around it takes columns by name.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import CODE, modules, name, parsed

STAR = re.compile(
    r"(?:\b(?:select|returning|distinct)\s+|,\s*|\)\s+)(?:(?P<alias>\w+)\.)?\*(?=\s*(?:,|\)|\bfrom\b|$))", re.IGNORECASE
)
NAMED = re.compile(r"\s*from\s+(?:unnest)?\(", re.IGNORECASE)


def test_no_statement_takes_whatever_columns_a_table_has() -> None:
    taking = [
        f"{name(path)}:{line}"
        for path in modules(*CODE)
        for line, text in texts(parsed(path))
        if takes_whatever_there_is(text)
    ]
    assert taking == []


@pytest.mark.parametrize(
    "statement",
    [
        "select * from accounts",
        "select distinct on (rule_id) * from rules",
        "select a.*, b.name from accounts a join b using (id)",
        "select name, * from accounts",
        "update accounts set name = 'x' returning *",
    ],
)
def test_a_star_for_the_columns_of_a_table_is_found(statement: str) -> None:
    assert takes_whatever_there_is(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into names (a, b) select * from unnest(cast(:a as text[]), cast(:b as text[]))",
        "select * from (select a, b from names) found",
        "select found.*, 1 as place from (select a, b from names) found",
        "with gone as (delete from names returning *) select a from gone",
        "select count(*), sum(a * b) from names",
    ],
)
def test_a_star_whose_columns_the_statement_names_is_allowed(statement: str) -> None:
    assert not takes_whatever_there_is(statement)


def takes_whatever_there_is(text: str) -> bool:
    """Whether rows come out of the statement with all the columns that a table happens to have."""
    for star in STAR.finditer(text):
        before = text[: star.end()]
        inside = before.count("(") > before.count(")")
        subquery = star["alias"] is not None and re.search(rf"\)\s+(?:as\s+)?{star['alias']}\b", text)
        if not (inside or subquery or NAMED.match(text, star.end())):
            return True
    return False


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string that holds a statement; what is put into one stands as it is written."""
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else ast.unparse(part) for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            text = node.value
        else:
            continue
        if re.search(r"\b(?:select|returning)\b", text, re.IGNORECASE):
            yield node.lineno, text
