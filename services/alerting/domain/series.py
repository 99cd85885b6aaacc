"""A person's answers to one question as a story: what each one changed, and which run of them stands now.

Category, change and falls are those of the scorer, which tells them in its events; both must agree on every history.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from services.alerting.domain.answers import Kept
from services.alerting.domain.recovery import Level, Series, level_of


@dataclass(frozen=True, slots=True)
class Given:
    """One live answer with what it meant when it was given: the score before it, the category change, and how many
    answers in a row, up to this one, were lower than the one before.
    """

    kept: Kept
    previous_score: int | None
    change: str | None
    falls_in_a_row: int

    @property
    def level(self) -> Level:
        """How good it is."""
        return level_of(self.kept.live.survey_type, self.kept.live.score)


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


def stories(answers: Iterable[Kept]) -> dict[Series, list[Given]]:
    """A person's live answers by question, oldest first. What was withdrawn or a test is not among them."""
    answers_by_series: dict[Series, list[Kept]] = {}
    for kept in sorted(answers, key=lambda kept: kept.order):
        if kept.counts:
            answers_by_series.setdefault((kept.live.survey_type, kept.live.nps_kind), []).append(kept)
    return {series: _story(kept_answers) for series, kept_answers in answers_by_series.items()}


def runs(by_series: Mapping[Series, Sequence[Given]], *, rising: bool = False) -> list[list[Given]]:
    """The last answers to each question that are of one level; `rising`: in which the level never fell."""
    return [_run(story, rising=rising) for story in by_series.values()]


def _run(story: Sequence[Given], *, rising: bool) -> list[Given]:
    start = len(story) - 1
    while start:
        earlier, later = story[start - 1].level, story[start].level
        belongs = earlier == later or (rising and earlier < later)
        if not belongs:
            break
        start -= 1
    return list(story[start:])


def _story(answers: Sequence[Kept]) -> list[Given]:
    return [_given(answers, position) for position in range(len(answers))]


def _given(answers: Sequence[Kept], position: int) -> Given:
    """An answer with what it meant; one that only an event of the scorer has named means what the event says."""
    kept = answers[position]
    if kept.named is not None:
        return Given(kept, kept.named.previous_score, kept.named.change, kept.named.falls_in_a_row)
    scores = [answer.live.score for answer in answers[: position + 1]]
    previous = None
    if position:
        previous = scores[-2]
    change = change_between(kept.live.survey_type, previous, scores[-1])
    return Given(kept, previous, change, falls_in_a_row(scores))
