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
    return 1 if score >= middle else 0


def result_of(survey_type: str, before: int, now: int) -> NextResult:
    """`recovered`: a better category than when the follow-up was opened; `worse`: a lower score; else `unchanged`."""
    if level_of(survey_type, now) > level_of(survey_type, before):
        return "recovered"
    return "worse" if now < before else "unchanged"


def next_answer_of(task: Task, answers: Iterable[Kept]) -> NextAnswer | None:
    """The person's next answer to the same question: while the follow-up is open the newest, after that the first."""
    if task.score is None or task.survey_type is None:
        return None
    live = sorted((kept for kept in answers if _is_of(task, kept)), key=lambda kept: kept.order)
    behind = next((kept.order for kept in live if kept.live.response_id == task.response_id), (task.opened_at, ""))
    later = [kept.live for kept in live if kept.order > behind]
    closed = task.closed_at
    after = [answer for answer in later if closed is not None and answer.answered_at > closed]
    if not later:
        return None
    chosen = after[0] if after else later[-1]
    result = result_of(task.survey_type, task.score, chosen.score)
    return NextAnswer(chosen.response_id, chosen.score, chosen.answered_at, result)


def _is_of(task: Task, kept: Kept) -> bool:
    return kept.counts and (kept.live.survey_type, kept.live.nps_kind) == (task.survey_type, task.nps_kind)
