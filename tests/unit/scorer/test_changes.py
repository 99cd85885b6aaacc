"""Category changes, falls in a row, and the borders of the categories."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.domain.categories import CATEGORIES, category_of, category_or_none, net_of
from services.scorer.domain.changes import (
    categories_of,
    change_between_scores,
    change_kind,
    falls_in_a_row,
)
from shared.events.scores import ChangeKind


@pytest.mark.parametrize(
    ("score", "category"),
    [(0, "detractor"), (6, "detractor"), (7, "passive"), (8, "passive"), (9, "promoter"), (10, "promoter")],
)
def test_the_borders_of_the_categories(score: int, category: str) -> None:
    assert category_of(score) == category
    assert net_of(score) == {"detractor": -1, "passive": 0, "promoter": 1}[category]


def test_only_nps_answers_have_a_category() -> None:
    assert category_or_none("csat", 5) is None
    assert category_or_none("nps", 0) == "detractor"


@pytest.mark.parametrize(
    ("previous", "now", "kind"),
    [
        (9, 8, "promoter_to_passive"),
        (9, 6, "promoter_to_detractor"),
        (7, 6, "passive_to_detractor"),
        (0, 7, "detractor_to_passive"),
        (6, 9, "detractor_to_promoter"),
        (8, 9, "passive_to_promoter"),
        (None, 9, "new_promoter"),
        (None, 8, "new_passive"),
        (None, 0, "new_detractor"),
        (10, 9, None),
        (0, 6, None),
    ],
)
def test_each_change_has_its_name(previous: int | None, now: int, kind: str | None) -> None:
    assert change_between_scores(previous, now) == kind


def test_the_kinds_are_those_of_the_contract_and_can_be_read_back() -> None:
    kinds = get_args(ChangeKind)
    possible = {change_kind(previous, now) for previous in (None, *CATEGORIES) for now in CATEGORIES}
    assert possible == {None, *kinds}
    assert [change_kind(*categories_of(kind)) for kind in kinds] == list(kinds)


@pytest.mark.parametrize(
    ("scores", "falls"),
    [([], 0), ([3], 0), ([10, 9], 1), ([10, 9, 8], 2), ([10, 9, 9], 0), ([10, 9, 9, 8], 1), ([5, 10, 9, 0], 2)],
)
def test_falls_are_counted_back_from_the_last_answer(scores: list[int], falls: int) -> None:
    assert falls_in_a_row(scores) == falls


@given(st.lists(st.integers(0, 10), max_size=8))
def test_the_falls_are_the_longest_falling_end(scores: list[int]) -> None:
    falls = falls_in_a_row(scores)
    end = scores[len(scores) - falls - 1 :] if scores else []
    assert end == sorted(set(end), reverse=True)
    assert falls == len(scores) - 1 or not scores or scores[-falls - 2] <= scores[-falls - 1]
