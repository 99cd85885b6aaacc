"""Ratchets: how dense the code is, and how many tests it has. The numbers are those of today and never get worse; where
they get better, they are written down here anew."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import CODE, modules, name, parsed

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
MOST = {
    "services/alerting": (1, 21),
    "services/benchmark": (0, 19),
    "services/cli": (0, 17),
    "services/collector": (1, 17),
    "services/dashboard": (0, 18),
    "services/outreach": (0, 14),
    "services/scorer": (1, 18),
    "shared": (3, 14),
}
"""Conditional expressions and comprehensions per 1,000 lines, by package, rounded up. Aim: 20 for both together."""
TESTS_TO_CODE = 0.69
"""Lines of tests for each line of code, at least. Aim: 0.8."""


def lines_of(paths: list[Path]) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def per_thousand_lines(paths: list[Path], *kinds: type[ast.AST]) -> float:
    found = sum(isinstance(node, kinds) for path in paths for node in ast.walk(parsed(path)))
    return 1000 * found / lines_of(paths)


@pytest.mark.parametrize("package", MOST)
def test_code_gets_no_denser(package: str) -> None:
    paths = [path for path in modules(*CODE) if name(path).startswith(f"{package}/")]
    conditional, comprehensions = MOST[package]
    assert per_thousand_lines(paths, ast.IfExp) <= conditional, "write a statement instead of a conditional expression"
    assert per_thousand_lines(paths, *COMPREHENSIONS) <= comprehensions, "write a loop that is read once"


def test_every_package_is_held() -> None:
    parts = (name(path).split("/") for path in modules(*CODE) if path.parent.name != "services")
    assert {first if first == "shared" else f"{first}/{second}" for first, second, *_ in parts} == MOST.keys()


def test_tests_do_not_fall_behind_the_code() -> None:
    assert lines_of(modules("tests")) / lines_of(modules(*CODE)) >= TESTS_TO_CODE
