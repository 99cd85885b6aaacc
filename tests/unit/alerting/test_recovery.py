"""The person's next score beside the one that opened the follow-up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.alerting.domain import lifecycle, recovery
from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.tasks import Closing, Task, TaskChange
from tests.unit.alerting.builders import MONDAY_10, answer, opened

DAY = timedelta(days=1)


def task(score: int = 3) -> Task:
    return replace(opened(), score=score, survey_type="nps", nps_kind="relationship")


@pytest.mark.parametrize(
    ("survey_type", "before", "now", "result"),
    [
        ("nps", 3, 7, "recovered"),
        ("nps", 3, 9, "recovered"),
        ("nps", 7, 9, "recovered"),
        ("nps", 3, 6, "unchanged"),
        ("nps", 7, 8, "unchanged"),
        ("nps", 3, 2, "worse"),
        ("nps", 8, 6, "worse"),
        ("csat", 1, 3, "recovered"),
        ("csat", 2, 2, "unchanged"),
        ("csat", 2, 1, "worse"),
        ("ces", 2, 5, "recovered"),
        ("ces", 1, 2, "unchanged"),
    ],
)
def test_a_better_category_is_a_recovery_and_a_lower_score_is_worse(
    survey_type: str, before: int, now: int, result: str
) -> None:
    assert recovery.result_of(survey_type, before, now) == result


def test_while_it_is_open_the_newest_answer_counts_and_then_the_first() -> None:
    behind, second, third = answer("r1", 3), answer("r2", 8, -1), answer("r3", 7, -2)
    assert said(task(), behind, second, third) == ("r3", "recovered")
    closed = lifecycle.close(task(), TaskChange("key:eve", MONDAY_10 + 3 * DAY), Closing("resolved")).task
    assert said(closed, behind, second, third) == ("r3", "recovered")
    fourth, fifth = answer("r4", 2, -4), answer("r5", 9, -5)
    assert said(closed, behind, second, third, fourth, fifth) == ("r4", "worse"), "the first after the end"


def test_only_a_later_answer_to_the_same_question_counts() -> None:
    behind = answer("r1", 3)
    assert said(task(), behind, answer("r2", 9, -1, nps_kind="transactional")) is None
    assert said(task(), behind, answer("r2", 5, -1, survey_type="csat")) is None
    assert said(task(), behind, answer("r0", 9, 1)) is None
    assert said(task(), behind, answer("r2", 9, -1, withdrawn=True)) is None
    assert said(replace(task(), score=None), behind, answer("r2", 9, -1)) is None


def said(of: Task, *answers: StoredAnswer) -> tuple[str, str] | None:
    found = recovery.next_answer_of(of, answers)
    return (found.response_id, found.result) if found else None
