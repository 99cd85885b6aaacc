"""Deliveries to webhook endpoints, in words."""

import pytest

from services.dashboard.domain.delivery_wording import STATES, under_way


@pytest.mark.parametrize(("status", "tries"), [("pending", 0), ("sending", 1), ("sending", 3)])
def test_what_is_tried_now_or_in_a_moment_is_under_way(status: str, tries: int) -> None:
    assert under_way(status, tries)


@pytest.mark.parametrize("status", sorted(set(STATES) - {"sending"}))
def test_what_has_ended_or_waits_for_another_try_is_not(status: str) -> None:
    assert not under_way(status, 1)
