"""What a page takes from its address."""

from typing import Any, cast

from services.dashboard.web.section import Visit

NOTHING: Any = cast("Any", None)


def visit(**query: str) -> Visit:
    """A visit with these parameters in its address."""
    return Visit(NOTHING, NOTHING, {}, query, NOTHING)


def test_a_parameter_is_one_of_the_options_or_the_default() -> None:
    windows = {"30d": "30 days", "90d": "90 days"}
    assert visit(window="30d").chosen("window", windows, "90d") == "30d"
    assert visit(window="7d").chosen("window", windows, "90d") == "90d"
    assert visit().chosen("window", windows, "90d") == "90d"


def test_parameters_without_a_value_are_not_given() -> None:
    assert visit(q="late", owner="", other="x").given("q", "owner", "tier") == {"q": "late"}
