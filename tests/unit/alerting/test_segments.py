"""Segments: the share of detractors by industry, tier and region, and whether a rise is more than chance."""

from math import sqrt

import pytest

from services.alerting.domain.segments import AccountVoices, Shift, Voices, shifts


def test_accounts_are_added_up_by_each_attribute_they_have() -> None:
    found = shifts(
        [
            AccountVoices({"industry": "logistics", "tier": "key", "region": None}, Voices(10, 4), Voices(10, 1)),
            AccountVoices({"industry": "logistics", "tier": "small"}, Voices(20, 6), Voices(30, 2)),
        ]
    )
    assert {shift.segment: (shift.now, shift.before) for shift in found} == {
        ("industry", "logistics"): (Voices(30, 10), Voices(40, 3)),
        ("tier", "key"): (Voices(10, 4), Voices(10, 1)),
        ("tier", "small"): (Voices(20, 6), Voices(30, 2)),
    }


def test_the_rise_is_in_points_and_z_is_that_of_two_proportions() -> None:
    shift = Shift(("tier", "key"), Voices(100, 30), Voices(200, 30))
    assert (shift.share, shift.share_before, shift.rise, shift.voices) == (30.0, 15.0, 15.0, 100)
    assert shift.z == pytest.approx(0.15 / sqrt(0.2 * 0.8 * (1 / 100 + 1 / 200)))
    assert Shift(("tier", "key"), Voices(100, 20), Voices(100, 30)).z < 0


@pytest.mark.parametrize(
    ("now", "before"), [(Voices(), Voices(9, 3)), (Voices(9, 3), Voices()), (Voices(9, 0), Voices(9, 0))]
)
def test_where_nothing_can_be_compared_z_is_zero(now: Voices, before: Voices) -> None:
    assert Shift(("tier", "key"), now, before).z == 0
