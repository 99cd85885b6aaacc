"""The person's next score beside the one that opened the follow-up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.alerting.domain import lifecycle, recovery
from services.alerting.domain.tasks import Change, Closing, Task
from tests.unit.alerting.builders import MONDAY_10, opened

NPS = ("nps", "relationship")
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
    first = recovery.answered(task(), "r2", 8, MONDAY_10 + DAY)
    assert recovery.waits_for(first, NPS, "r3", MONDAY_10 + 2 * DAY)
    closed = lifecycle.close(first, Change("key:eve", MONDAY_10 + 3 * DAY), Closing("resolved")).task
    assert recovery.waits_for(closed, NPS, "r4", MONDAY_10 + 4 * DAY), "what was said before is not the last word"
    final = recovery.answered(closed, "r4", 9, MONDAY_10 + 4 * DAY)
    assert not recovery.waits_for(final, NPS, "r5", MONDAY_10 + 5 * DAY)


def test_only_a_later_answer_to_the_same_question_counts() -> None:
    assert not recovery.waits_for(task(), ("nps", "transactional"), "r2", MONDAY_10 + DAY)
    assert not recovery.waits_for(task(), ("csat", "relationship"), "r2", MONDAY_10 + DAY)
    assert not recovery.waits_for(task(), NPS, "r1", MONDAY_10 + DAY), "the answer that opened it"
    assert not recovery.waits_for(task(), NPS, "r0", MONDAY_10 - DAY)
    assert not recovery.waits_for(replace(task(), score=None), NPS, "r2", MONDAY_10 + DAY)
