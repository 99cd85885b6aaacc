"""How figures are said."""

import pytest

from services.dashboard.domain import wording


@pytest.mark.parametrize(
    ("value", "said"),
    [(40.0, "+40"), (-12.5, "−13"), (12.5, "+13"), (0.4, "0"), (-0.4, "0"), (0, "0"), (None, "–"), (-100, "−100")],
)
def test_points_have_a_sign_and_round_half_away_from_zero(value: float | None, said: str) -> None:
    assert wording.points(value) == said


def test_an_interval_is_said_only_where_there_is_one() -> None:
    assert wording.interval({"ci_low": -7.2, "ci_high": 26.9}) == "95 % between −7 and +27"
    assert wording.interval({"ci_low": None, "ci_high": None}) == ""


def test_numbers_have_their_units() -> None:
    assert wording.count(1, "voice") == "1 voice"
    assert wording.count(2, "person", "people") == "2 people"
    assert wording.count(12345, "voice") == "12\u202f345 voices"
    assert wording.share(0.434) == "43 %"
    assert wording.percent(None) == "–"


@pytest.mark.parametrize(
    ("kind", "said", "fall"),
    [
        ("promoter_to_passive", "▲ Promoter → ● passive", True),
        ("detractor_to_promoter", "▼ Detractor → ▲ promoter", False),
        ("new_detractor", "New ▼ detractor", True),
        ("new_promoter", "New ▲ promoter", False),
    ],
)
def test_a_change_is_said_with_signs_beside_the_words(kind: str, said: str, fall: bool) -> None:
    assert wording.change_words(kind) == said
    assert wording.is_fall(kind) is fall
