"""The person's next score: what came of a follow-up, told by the only one who knows."""

from collections.abc import Iterable
from typing import Literal

from services.alerting.domain.answers import Kept
from services.alerting.domain.tasks import NextAnswer, NextResult, Task

Series = tuple[str | None, str | None]
"""Survey type and nps kind: only answers to the same question are compared."""
_BORDERS = {"nps": (7, 9), "csat": (3, 4), "ces": (3, 5)}
"""Where the middle and where the good begin: passives and promoters, neutral and satisfied, some effort and easy."""
Level = Literal[0, 1, 2]


def level_of(survey_type: str, score: int) -> Level:
    """0 is a detractor, dissatisfied or much effort; 2 a promoter, satisfied or easy."""
    middle, good = _BORDERS[survey_type]
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


def next_answer_of(task: Task, answers: Iterable[Kept]) -> NextAnswer | None:
    """The person's next answer to the same question: while the follow-up is open the newest, after that the first."""
    if task.score is None or task.survey_type is None:
        return None
    same_question = sorted((kept for kept in answers if _is_of(task, kept)), key=lambda kept: kept.order)
    after = (task.opened_at, "")
    for kept in same_question:
        if kept.live.response_id == task.response_id:
            after = kept.order
    later = [kept.live for kept in same_question if kept.order > after]
    if not later:
        return None
    chosen = later[-1]
    if task.closed_at is not None:
        since_closed = [answer for answer in later if answer.answered_at > task.closed_at]
        chosen = next(iter(since_closed), chosen)
    result = result_of(task.survey_type, task.score, chosen.score)
    return NextAnswer(chosen.response_id, chosen.score, chosen.answered_at, result)


def _is_of(task: Task, kept: Kept) -> bool:
    return kept.counts and (kept.live.survey_type, kept.live.nps_kind) == (task.survey_type, task.nps_kind)
