"""Segments: the share of detractors by industry, tier and region, and whether a rise is more than chance."""

from math import sqrt

import pytest

from services.alerting.domain.segments import AccountCounts, DetractorCount, Shift, shifts


def test_accounts_are_added_up_by_each_attribute_they_have() -> None:
    found = shifts(
        [
            AccountCounts(
                {"industry": "logistics", "tier": "key", "region": None}, DetractorCount(10, 4), DetractorCount(10, 1)
            ),
            AccountCounts({"industry": "logistics", "tier": "small"}, DetractorCount(20, 6), DetractorCount(30, 2)),
        ]
    )
    assert {shift.segment: (shift.now, shift.before) for shift in found} == {
        ("industry", "logistics"): (DetractorCount(30, 10), DetractorCount(40, 3)),
        ("tier", "key"): (DetractorCount(10, 4), DetractorCount(10, 1)),
        ("tier", "small"): (DetractorCount(20, 6), DetractorCount(30, 2)),
    }


def test_the_rise_is_in_points_and_z_is_that_of_two_proportions() -> None:
    shift = Shift(("tier", "key"), DetractorCount(100, 30), DetractorCount(200, 30))
    assert (shift.share, shift.share_before, shift.rise, shift.smaller_count) == (30.0, 15.0, 15.0, 100)
    assert shift.z == pytest.approx(0.15 / sqrt(0.2 * 0.8 * (1 / 100 + 1 / 200)))
    assert Shift(("tier", "key"), DetractorCount(100, 20), DetractorCount(100, 30)).z < 0


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (DetractorCount(), DetractorCount(9, 3)),
        (DetractorCount(9, 3), DetractorCount()),
        (DetractorCount(9, 0), DetractorCount(9, 0)),
    ],
)
def test_where_nothing_can_be_compared_z_is_zero(now: DetractorCount, before: DetractorCount) -> None:
    assert Shift(("tier", "key"), now, before).z == 0
