"""A person's answers to one question as a series: what each answer changed, and the run at the end of the series.

Category, change and falls are defined as in the scorer, whose events hold them; both must agree on every history.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.recovery import Level, SeriesKey, level_of


@dataclass(frozen=True, slots=True)
class AnswerInSeries:
    """One live answer with what it meant when it was given: the score before it, the category change, and how many
    answers in a row, up to this one, were lower than the one before.
    """

    stored: StoredAnswer
    previous_score: int | None
    change: str | None
    falls_in_a_row: int

    @property
    def level(self) -> Level:
        """How good its score is."""
        return level_of(self.stored.live.survey_type, self.stored.live.score)


def category_of(survey_type: str, score: int) -> str | None:
    """promoter from 9, passive from 7, else detractor; only of nps."""
    if survey_type != "nps":
        return None
    if score >= 9:
        return "promoter"
    if score >= 7:
        return "passive"
    return "detractor"


def change_between(survey_type: str, previous: int | None, now: int) -> str | None:
    """`promoter_to_passive` and so on, `new_…` for a first answer; None where the category stayed or there is none."""
    after = category_of(survey_type, now)
    if after is None:
        return None
    if previous is None:
        return f"new_{after}"
    before = category_of(survey_type, previous)
    if before == after:
        return None
    return f"{before}_to_{after}"


def falls_in_a_row(scores: Sequence[int]) -> int:
    """How often in a row, up to the last answer, each score was below the one before; oldest first."""
    pairs = zip(reversed(scores[:-1]), reversed(scores), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[1] < pair[0], pairs))


def series_by_key(answers: Iterable[StoredAnswer]) -> dict[SeriesKey, list[AnswerInSeries]]:
    """A person's live answers by question, oldest first. What was withdrawn or a test is not among them."""
    answers_by_series: dict[SeriesKey, list[StoredAnswer]] = {}
    for stored in sorted(answers, key=lambda stored: stored.order):
        if stored.counts:
            answers_by_series.setdefault((stored.live.survey_type, stored.live.nps_kind), []).append(stored)
    return {series: _in_series(kept_answers) for series, kept_answers in answers_by_series.items()}


def runs(
    by_series: Mapping[SeriesKey, Sequence[AnswerInSeries]], *, rising: bool = False
) -> list[list[AnswerInSeries]]:
    """The last answers to each question that are of one level; `rising`: in which the level never fell."""
    return [_run(series, rising=rising) for series in by_series.values()]


def _run(series: Sequence[AnswerInSeries], *, rising: bool) -> list[AnswerInSeries]:
    start = len(series) - 1
    while start:
        earlier, later = series[start - 1].level, series[start].level
        belongs = earlier == later or (rising and earlier < later)
        if not belongs:
            break
        start -= 1
    return list(series[start:])


def _in_series(answers: Sequence[StoredAnswer]) -> list[AnswerInSeries]:
    return [_answer_in_series(answers, position) for position in range(len(answers))]


def _answer_in_series(answers: Sequence[StoredAnswer], position: int) -> AnswerInSeries:
    """An answer with its change; of a placeholder that is the change that the score event has named."""
    stored = answers[position]
    if stored.placeholder is not None:
        return AnswerInSeries(
            stored, stored.placeholder.previous_score, stored.placeholder.change, stored.placeholder.falls_in_a_row
        )
    scores = [answer.live.score for answer in answers[: position + 1]]
    previous = None
    if position:
        previous = scores[-2]
    change = change_between(stored.live.survey_type, previous, scores[-1])
    return AnswerInSeries(stored, previous, change, falls_in_a_row(scores))
