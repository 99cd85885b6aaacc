"""Habits that a linter does not know: no error disappears, logic has its clock, no test sleeps or is skipped."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import CODE, modules, name, parsed

# The one place where a test may wait: it asks again and again until its deadline.
POLLING = "tests/support/polling.py"
NEEDS = "tests/support/needs.py"
"""The one place that skips tests, of machines without a program or a right that they need."""
BROAD = {"Exception", "BaseException"}
# Logic takes a Clock. Only these look at the wall: the clock, the maker of UUIDv7, the gauge of the consumer's lag.
CLOCKS = ("shared/clock.py", "shared/ids.py", "shared/kafka/lag.py")
WALL_CLOCK = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")


def test_no_broad_exception_disappears() -> None:
    swallowed = [
        f"{name(path)}:{handler.lineno}"
        for path in modules(*CODE, "tests", "tools", "bench")
        for handler in ast.walk(parsed(path))
        if isinstance(handler, ast.ExceptHandler) and swallows(handler)
    ]
    assert swallowed == []


def test_no_logic_looks_at_the_wall_clock() -> None:
    looking = [
        f"{name(path)}:{node.lineno} {called}"
        for path in modules(*CODE)
        if name(path) not in CLOCKS and not name(path).startswith("services/cli/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)).endswith(WALL_CLOCK)
    ]
    assert looking == []


def test_no_test_sleeps() -> None:
    sleeping = [
        f"{name(path)}:{node.lineno}"
        for path in modules("tests")
        if name(path) != POLLING
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and sleeps(node)
    ]
    assert sleeping == []


def test_no_test_is_skipped() -> None:
    marks = ("skip", "skipif", "xfail", "importorskip")
    skipped = [
        f"{name(path)}:{node.lineno}"
        for path in modules("tests")
        if path != Path(__file__) and name(path) != NEEDS
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and node.attr in marks
        and ast.unparse(node.value) in ("pytest", "pytest.mark")
    ]
    assert skipped == []


def swallows(handler: ast.ExceptHandler) -> bool:
    """Whether everything is caught and nothing is done about it: neither raised, logged nor kept."""
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    broad = caught is None or any(isinstance(item, ast.Name) and item.id in BROAD for item in names)
    return broad and all(isinstance(step, ast.Pass | ast.Continue | ast.Expr) and _idle(step) for step in handler.body)


def _idle(step: ast.stmt) -> bool:
    return not isinstance(step, ast.Expr) or isinstance(step.value, ast.Constant)


def sleeps(call: ast.Call) -> bool:
    """Whether this calls time.sleep or asyncio.sleep for longer than one turn of the loop."""
    function = call.func
    named = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    turn_of_the_loop = bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    return named == "sleep" and not turn_of_the_loop


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("try: f()\nexcept Exception: pass", True, id="pass"),
        pytest.param("try: f()\nexcept: ...", True, id="bare"),
        pytest.param("try: f()\nexcept (KeyError, Exception): pass", True, id="tuple"),
        pytest.param("try: f()\nexcept KeyError: pass", False, id="narrow"),
        pytest.param("try: f()\nexcept Exception: log()", False, id="logged"),
        pytest.param("try: f()\nexcept Exception: raise", False, id="raised"),
    ],
)
def test_a_swallowed_exception_is_recognised(source: str, found: bool) -> None:
    handlers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)]
    assert [swallows(handler) for handler in handlers] == [found]


@pytest.mark.parametrize(
    ("function", "seconds", "found"),
    [
        pytest.param("time.sleep", "1", True, id="time"),
        pytest.param("await asyncio.sleep", "0.1", True, id="asyncio"),
        pytest.param("sleep", "SECONDS", True, id="by name"),
        pytest.param("await asyncio.sleep", "0", False, id="a turn of the loop"),
        pytest.param("wait", "1", False, id="something else"),
    ],
)
def test_a_sleep_is_recognised(function: str, seconds: str, found: bool) -> None:
    tree = ast.parse(f"{function}({seconds})", mode="exec")
    assert [sleeps(node) for node in ast.walk(tree) if isinstance(node, ast.Call)] == [found]
