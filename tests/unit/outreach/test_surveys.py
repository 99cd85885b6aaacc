"""What a survey is: its categories are those that the scorer counts by, its language is found by what is wanted."""

import pytest

from services.outreach.domain.surveys import METRICS, Metric, Survey, Texts, categories_of, category_of
from services.scorer.domain import categories as scorer
from shared.amendments import SCALES
from tests.unit.outreach.builders import CES, CSAT, ONE_OF, WORDS, rating, relationship


@pytest.mark.parametrize("score", range(11))
def test_nps_has_the_categories_of_the_scorer(score: int) -> None:
    assert category_of("nps", score) == scorer.category_of(score)


@pytest.mark.parametrize(("metric", "lowest"), [("csat", scorer.LOWEST_TOP_TWO), ("ces", scorer.LOWEST_EASY)])
def test_who_is_satisfied_is_who_the_scorer_counts_as_such(metric: Metric, lowest: int) -> None:
    low, high = SCALES[metric]
    for score in range(low, high + 1):
        assert (category_of(metric, score) == "satisfied") == (score >= lowest)


@pytest.mark.parametrize(
    ("metric", "score", "category"),
    [
        ("csat", 3, "neutral"),
        ("csat", 2, "dissatisfied"),
        ("ces", 4, "neutral"),
        ("ces", 3, "dissatisfied"),
        ("ces", 1, "dissatisfied"),
    ],
)
def test_the_middle_of_other_scales_is_neutral(metric: Metric, score: int, category: str) -> None:
    assert category_of(metric, score) == category


@pytest.mark.parametrize("metric", METRICS)
def test_every_category_of_a_metric_can_be_reached(metric: Metric) -> None:
    low, high = SCALES[metric]
    reached = [category_of(metric, score) for score in range(high, low - 1, -1)]
    assert tuple(dict.fromkeys(reached)) == categories_of(metric)


def test_ratings_have_five_points_and_metrics_their_own_scale() -> None:
    assert rating("trust").scale == (1, 5)
    assert CSAT.scale == (1, 5)
    assert CES.scale == (1, 7)
    assert ONE_OF.scale is None
    assert WORDS.scale is None


def test_a_question_is_found_by_its_id() -> None:
    survey = relationship(questions=(ONE_OF, WORDS))
    assert survey.question("improve_first") == WORDS
    assert survey.question("score") is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["fr", "de"], "fr"),
        ([None, "de"], "de"),
        (["de-AT"], "de"),
        (["pt"], "pt-BR"),
        (["pt-PT"], "pt-BR"),
        (["fi", "fr"], "fr"),
        (["fi"], "en"),
        (["d"], "en"),
        ([], "en"),
    ],
)
def test_the_first_wanted_language_that_there_is_is_taken(wanted: list[str | None], found: str) -> None:
    texts = dict.fromkeys(("en", "de", "fr", "pt-BR"), Texts())
    assert Survey("x", "nps", "relationship", texts=texts).language_for(wanted) == found
