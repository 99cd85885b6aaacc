"""The response funnel against the yardsticks."""

from typing import Any

import pytest

from services.benchmark.domain.funnel import LEVELS, REVIEW, counts_and_rates, judge, level_of, yardsticks
from shared.api.benchmark_funnel import YARDSTICKS

TOLD: dict[str, Any] = {
    "sent_count": 42,
    "delivered_count": 40,
    "opened_count": 30,
    "started_count": 20,
    "answered_count": 18,
    "bounced_count": 2,
    "comment_rate": 0.2,
    "follow_up_request_rate": 0.05,
}


@pytest.mark.parametrize(
    ("rate", "level"),
    [
        (0.0, "below_ordinary"),
        (0.1199, "below_ordinary"),
        (0.12, "ordinary"),
        (0.15, "ordinary"),
        (0.16, "above_ordinary"),
        (0.2, "good"),
        (0.3, "good"),
        (0.31, "above_good"),
        (0.5, "target"),
        (0.6, "target"),
        (0.61, "above_target"),
    ],
)
def test_a_response_rate_stands_among_the_yardsticks(rate: float, level: str) -> None:
    assert level_of(rate) == level
    assert level in LEVELS


def test_the_example_of_the_documents_shows_the_yardsticks() -> None:
    assert yardsticks() == YARDSTICKS


def test_rates_are_shares_of_recipients() -> None:
    found = counts_and_rates(TOLD)
    assert found["recipient_count"] == 40
    rates = {name: found[name] for name in ("delivered_rate", "open_rate", "start_rate", "response_rate")}
    assert rates == {"delivered_rate": 1.0, "open_rate": 0.75, "start_rate": 0.5, "response_rate": 0.45}
    assert (found["completion_rate"], found["bounce_rate"], found["comment_rate"]) == (0.9, 2 / 42, 0.2)


def test_a_rate_that_the_scorer_tells_stands() -> None:
    assert counts_and_rates(TOLD | {"response_rate": 0.4})["response_rate"] == 0.4


def test_a_funnel_is_held_against_business_reviews() -> None:
    judged = judge(counts_and_rates(TOLD), few_invitations=30)
    assert judged.level == "above_good"
    assert judged.against_review == {
        "open_rate": 0.75 - REVIEW["open_rate"],
        "response_rate": 0.45 - REVIEW["response_rate"],
        "comment_rate": 0.2 - REVIEW["comment_rate"],
        "follow_up_request_rate": 0.05 - REVIEW["follow_up_request_rate"],
    }
    assert judged.warnings == ()
    assert judged.sentence.startswith("45 % of 40 recipients answered: more than good")


def test_too_few_invitations_and_openings_not_reported_are_said() -> None:
    told = TOLD | {"sent_count": 5, "bounced_count": 0, "opened_count": 0, "answered_count": 1}
    assert judge(counts_and_rates(told), few_invitations=30).warnings == ("few_invitations", "openings_not_reported")


def test_deliveries_that_nobody_reports_are_said_and_are_no_share() -> None:
    funnel = counts_and_rates(TOLD | {"delivered_count": None, "delivered_rate": None})
    assert (funnel["delivered_rate"], judge(funnel, few_invitations=30).warnings) == (
        None,
        ("deliveries_not_reported",),
    )


@pytest.mark.parametrize("told", [{}, {"sent_count": 0, "bounced_count": 0}, {"sent_count": 3, "bounced_count": 3}])
def test_where_nobody_was_reached_there_is_nothing_to_judge(told: dict[str, Any]) -> None:
    judged = judge(counts_and_rates(told), few_invitations=30)
    assert (judged.level, judged.warnings) == (None, ("no_invitations",))
