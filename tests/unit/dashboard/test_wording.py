"""Figures, in words."""

from types import SimpleNamespace

import pytest

from services.dashboard.domain import wording


@pytest.mark.parametrize(
    ("value", "said"),
    [(40.0, "+40"), (-12.5, "−13"), (12.5, "+13"), (0.4, "0"), (-0.4, "0"), (0, "0"), (None, "–"), (-100, "−100")],
)
def test_points_have_a_sign_and_round_half_away_from_zero(value: float | None, said: str) -> None:
    assert wording.points(value) == said


def test_an_interval_is_said_only_where_there_is_one() -> None:
    assert wording.interval(-7.2, 26.9) == "95\u00a0% interval −7 to +27"
    assert wording.interval(None, None) == ""


def test_what_is_not_known_is_a_dash_and_zero_is_known() -> None:
    assert wording.if_known(None, str) == "–"
    assert wording.if_known(0, str) == "0"


def test_numbers_have_their_units() -> None:
    assert wording.count(1, "voice") == "1 voice"
    assert wording.count(2, "person", "people") == "2 people"
    assert wording.count(12345, "voice") == "12\u202f345 voices"
    assert wording.share(0.434) == "43\u00a0%"
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


def test_a_score_is_shown_with_the_sum_it_comes_from() -> None:
    assert wording.formula(33.3, 12, 1, 33) == "100 × (12 promoters − 1 detractor) ÷ 33 answers = +33"
    assert wording.formula(None, 0, 0, 0) == ""


def test_a_figure_says_what_it_is_a_figure_of() -> None:
    asked = {"stakeholder_type": "decision_maker", "touchpoint": "order_delivery"}
    said = wording.question("NPS", "90d", "latest", asked)
    assert (
        said == "NPS over 90 days, by the latest answer of each respondent, decision-makers only, after order delivery"
    )
    assert wording.question("CSAT", "45d", "all", {}) == "CSAT over 45 days, by every answer"


def test_who_moved_is_told_both_ways_and_first_answers_are_no_move() -> None:
    kinds = ("promoter_to_passive", "new_detractor", "detractor_to_passive", "new_promoter", "passive_to_detractor")
    fell, rose = wording.falls_and_rises([SimpleNamespace(kind=kind) for kind in kinds])
    assert [change.kind for change in fell] == ["promoter_to_passive", "passive_to_detractor"]
    assert [change.kind for change in rose] == ["detractor_to_passive"]


def test_a_decimal_point_is_marked_so_that_the_browser_writes_it_as_the_reader_does() -> None:
    assert wording.decimal(4.25, 2) == "4.\u206025"
    assert wording.decimal(-0.5, 2, "+") == "−0.\u206050"
    assert wording.decimal(0.5, sign="+") == "+0.\u20605"
