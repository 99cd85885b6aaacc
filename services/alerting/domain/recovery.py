"""The person's next score: what came of a follow-up, told by the only one who knows."""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from services.alerting.domain.tasks import NextAnswer, NextResult, Task

Series = tuple[str | None, str | None]
"""Survey type and nps kind: only answers to the same question are compared."""
_BORDERS = {"nps": (7, 9), "csat": (3, 4), "ces": (3, 5)}
"""Where the middle and where the good begin: passives and promoters, neutral and satisfied, some effort and easy."""
Level = Literal[0, 1, 2]


def level_of(survey_type: str, score: int) -> Level:
    """0 is a detractor, dissatisfied or much effort; 2 a promoter, satisfied or easy."""
    middle, good = _BORDERS[survey_type]
    return 2 if score >= good else 1 if score >= middle else 0


def result_of(survey_type: str, before: int, now: int) -> NextResult:
    """`recovered`: a better category than when the follow-up was opened; `worse`: a lower score; else `unchanged`."""
    if level_of(survey_type, now) > level_of(survey_type, before):
        return "recovered"
    return "worse" if now < before else "unchanged"


def waits_for(task: Task, series: Series, response_id: str, answered_at: datetime) -> bool:
    """Whether an answer is the one after the follow-up: while it is open each newer one is, after that the first."""
    if task.score is None or task.survey_type is None or (task.survey_type, task.nps_kind) != series:
        return False
    if task.response_id == response_id or answered_at < task.opened_at:
        return False
    known, closed = task.next_answer, task.closed_at
    return known is None or ((closed is None or known.answered_at <= closed) and known.response_id != response_id)


def answered(task: Task, response_id: str, score: int, answered_at: datetime) -> Task:
    """The task with the person's next score. The caller has seen that it waits for it."""
    if task.survey_type is None or task.score is None:
        raise ValueError("the task has no score to compare with")
    result = result_of(task.survey_type, task.score, score)
    return replace(task, next_answer=NextAnswer(response_id, score, answered_at, result))
