"""Budgets: what does not fit into one head is split. Aim at 300 lines a module and 40 a function."""

import ast

import pytest

from tests.architecture.tree import modules, name, parsed

MODULE_LINES = 400
FUNCTION_LINES = 60

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_no_module_is_longer_than_its_budget() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_no_function_is_longer_than_its_budget() -> None:
    long = [
        f"{name(path)}:{node.lineno} {node.name}: {lines} lines"
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, Function) and (lines := body_lines(node)) > FUNCTION_LINES
    ]
    assert long == []


def body_lines(function: Function) -> int:
    """Lines from `def` to the end, without the docstring and the decorators."""
    assert function.end_lineno is not None
    first = function.body[0]
    is_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if is_docstring else 0
    return function.end_lineno - function.lineno + 1 - docstring


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        pytest.param("def f():\n    return 1\n", 2, id="plain"),
        pytest.param('def f():\n    """Says\n    much."""\n    return 1\n', 2, id="docstring"),
        pytest.param("@a\n@b\nasync def f():\n    return (\n        1\n    )\n", 4, id="decorated"),
    ],
)
def test_the_measure_leaves_out_docstrings_and_decorators(source: str, lines: int) -> None:
    function = ast.parse(source).body[0]
    assert isinstance(function, Function)
    assert body_lines(function) == lines
