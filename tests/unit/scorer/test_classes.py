"""Account classes: one example a rule, and the reference for everything between them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.domain.answers import Answer
from services.scorer.domain.classes import Standing, Thresholds, classify, standing_of
from tests.support.reference.questions import account_class
from tests.support.reference.world import Person, Submission, World

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("standing", "name"),
    [
        (Standing(), "unknown"),
        (Standing(ever_asked=True), "silent"),
        (Standing(ever_answered=True), "silent"),
        (Standing(promoters=2, passives=5, detractors=3), "at_risk"),
        (Standing(promoters=3, passives=4, detractors=3), "divided"),
        (Standing(promoters=9, decision_maker_detractors=1, detractors=1), "at_risk"),
        (Standing(promoters=60, passives=25, detractors=15), "ambassador"),
        (Standing(promoters=60, passives=24, detractors=16), "steady"),
        (Standing(promoters=2, passives=6, detractors=2), "divided"),
        (Standing(promoters=2, passives=7, detractors=1, decision_maker_net=1, user_net=-1), "divided"),
        (Standing(promoters=2, passives=7, detractors=1, decision_maker_net=1, user_net=0), "steady"),
    ],
)
def test_the_first_rule_that_fits_decides(standing: Standing, name: str) -> None:
    decided = classify(standing)
    assert decided.name == name
    assert decided.rule
    assert decided.numbers["response_count"] == standing.total


def test_the_thresholds_are_settings() -> None:
    standing = Standing(promoters=4, passives=5, detractors=1)
    assert classify(standing).name == "steady"
    assert classify(standing, Thresholds(ambassador_promoters=40)).name == "ambassador"


def test_a_third_of_detractors_is_compared_exactly() -> None:
    standing = Standing(promoters=0, passives=7, detractors=3)
    assert classify(standing, Thresholds(at_risk_detractors=30)).name == "at_risk"
    assert classify(standing, Thresholds(at_risk_detractors=30.0001)).name == "steady"


@given(
    st.lists(
        st.tuples(st.sampled_from(("decision_maker", "user", "influencer", None)), st.integers(0, 10)), max_size=12
    )
)
def test_classes_equal_the_definitions(people: list[tuple[str | None, int]]) -> None:
    named = [(f"p{number}", kind, score) for number, (kind, score) in enumerate(people)]
    moment = NOW - timedelta(days=3)
    world = World(
        people=tuple(Person("acme", name, kind) for name, kind, _ in named),
        submissions=tuple(Submission(name, "acme", name, "nps", score, moment) for name, _, score in named),
    )
    answers = [Answer(name, name, moment, score) for name, _, score in named]
    standing = standing_of(
        answers, {name: kind for name, kind, _ in named}, ever_asked=False, ever_answered=bool(named)
    )
    assert classify(standing).name == account_class(world, "acme", NOW)
