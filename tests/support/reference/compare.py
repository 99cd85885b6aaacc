"""Comparison of figures with the reference."""

from typing import Any

import pytest

THROUGH_A_ROOT = ("ci_low", "ci_high", "z", "t", "rank_correlation")


def assert_same(actual: dict[str, Any], expected: dict[str, Any], path: str = "") -> None:
    """Every expected figure is there and exactly equal; only figures with a square root may differ in their last
    digits."""
    for name, value in expected.items():
        where = f"{path}{name}"
        if isinstance(value, dict):
            assert_same(actual[name], value, f"{where}.")
        elif name in THROUGH_A_ROOT and value is not None:
            assert actual[name] == pytest.approx(value, rel=1e-9, abs=1e-9), where
        else:
            assert actual[name] == value, where
