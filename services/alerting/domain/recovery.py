"""The person's next score: whether a follow-up has helped, by the person's own answer."""

from collections.abc import Iterable
from typing import Literal

from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.tasks import NextAnswer, NextResult, Task

SeriesKey = tuple[str | None, str | None]
"""Survey type and nps kind: answers with the same key are a series, and only these are compared."""
_LEVEL_STARTS = {"nps": (7, 9), "csat": (3, 4), "ces": (3, 5)}
"""The least scores of the middle and the good level: passive, promoter; neutral, satisfied; some effort, easy."""
Level = Literal[0, 1, 2]


def level_of(survey_type: str, score: int) -> Level:
    """0 is a detractor, dissatisfied or much effort; 2 a promoter, satisfied or easy."""
    middle, good = _LEVEL_STARTS[survey_type]
    if score >= good:
        return 2
    if score >= middle:
        return 1
    return 0


def result_of(survey_type: str, before: int, now: int) -> NextResult:
    """`recovered`: a better category than when the follow-up was opened; `worse`: a lower score; else `unchanged`."""
    if level_of(survey_type, now) > level_of(survey_type, before):
        return "recovered"
    if now < before:
        return "worse"
    return "unchanged"


def next_answer_of(task: Task, answers: Iterable[StoredAnswer]) -> NextAnswer | None:
    """The person's next answer to the same question: while the follow-up is open the newest, after that the first."""
    if task.score is None or task.survey_type is None:
        return None
    same_question = sorted((stored for stored in answers if _is_of(task, stored)), key=lambda stored: stored.order)
    after = (task.opened_at, "")
    for stored in same_question:
        if stored.live.response_id == task.response_id:
            after = stored.order
    later = [stored.live for stored in same_question if stored.order > after]
    if not later:
        return None
    chosen = later[-1]
    if task.closed_at is not None:
        since_closed = [answer for answer in later if answer.answered_at > task.closed_at]
        chosen = next(iter(since_closed), chosen)
    result = result_of(task.survey_type, task.score, chosen.score)
    return NextAnswer(chosen.response_id, chosen.score, chosen.answered_at, result)


def _is_of(task: Task, stored: StoredAnswer) -> bool:
    return stored.counts and (stored.live.survey_type, stored.live.nps_kind) == (task.survey_type, task.nps_kind)
