"""What the answers of a self-assessment come to: a score by area and the next steps, the weakest area first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal

from services.benchmark.domain.maturity_questions import AREAS, QUESTIONS, Area, MaturityQuestion

BEST: Final = 3
LEVELS: Final = ((25, "starting"), (50, "developing"), (75, "established"), (101, "leading"))
"""Below so many of 100 points → the name of the level."""
BETTER_THAN_MEASURED = "better_than_measured"
Source = Literal["given", "measured"]


@dataclass(frozen=True, slots=True)
class Answered:
    """The option of a question, who says so, and the figure if there is one."""

    question: MaturityQuestion
    option: int | None
    source: Source | None
    measured: float | None

    @property
    def doubtful(self) -> bool:
        """Whether the answer is better than what the system measured."""
        measure = self.question.measure
        if self.source != "given" or self.option is None or measure is None or self.measured is None:
            return False
        return self.option > measure.option(self.measured)


def assess(given: Mapping[str, int], measured: Mapping[str, float | None]) -> dict[str, Any]:
    """The result as JSON. `given`: question → option; `measured`: name of a measure → its value. A question without an
    answer takes what was measured; with neither it counts nowhere."""
    answers: dict[str, Answered] = {}
    unanswered, warnings = [], []
    for name, question in QUESTIONS.items():
        answer = answers[name] = _answered(question, given, measured)
        if answer.option is None:
            unanswered.append(name)
        if answer.doubtful:
            warnings.append(f"{BETTER_THAN_MEASURED}:{name}")
    areas, scores = [], []
    for area in AREAS:
        inside = [answers[question.question_id] for question in area.questions]
        score = _score_of(inside)
        areas.append(_area(area, score, inside))
        if score is not None:
            scores.append(score)
    score = None
    if scores:
        score = sum(scores, Fraction(0)) / len(scores)
    return {
        "score": _points(score),
        "level": level_of(score),
        "areas": areas,
        "recommendations": _recommendations(areas, answers),
        "unanswered": unanswered,
        "warnings": warnings,
    }


def _answered(question: MaturityQuestion, given: Mapping[str, int], measured: Mapping[str, float | None]) -> Answered:
    value = None
    if question.measure is not None:
        value = measured.get(question.measure.name)
    if question.question_id in given:
        return Answered(question, given[question.question_id], "given", value)
    if question.measure is None or value is None:
        return Answered(question, None, None, value)
    return Answered(question, question.measure.option(value), "measured", value)


def _score_of(answers: Iterable[Answered]) -> Fraction | None:
    """The score of an area from 0 to 100; None where nothing was answered."""
    options = [answer.option for answer in answers if answer.option is not None]
    if not options:
        return None
    return Fraction(100 * sum(options), BEST * len(options))


def _area(area: Area, score: Fraction | None, answers: Iterable[Answered]) -> dict[str, Any]:
    return {
        "area": area.area,
        "title": area.title,
        "score": _points(score),
        "level": level_of(score),
        "answers": [
            {
                "question_id": answer.question.question_id,
                "option": answer.option,
                "source": answer.source,
                "measured": answer.measured,
            }
            for answer in answers
        ],
    }


def _recommendations(areas: list[dict[str, Any]], answers: Mapping[str, Answered]) -> list[dict[str, Any]]:
    """The next step of each question that is not at its best, the weakest area first, in it the weakest answer."""
    steps = []
    for place, area in enumerate(areas):
        for answer in area["answers"]:
            answered = answers[answer["question_id"]]
            if answered.option is None:
                continue
            text = answered.question.advice(answered.option)
            if text is not None:
                steps.append(((area["score"], place, answered.option), area["area"], answered, text))
    steps.sort(key=lambda step: step[0])
    recommendations = []
    for number, (_, area_name, answered, text) in enumerate(steps, 1):
        recommendations.append(
            {
                "priority": number,
                "area": area_name,
                "question_id": answered.question.question_id,
                "text": text,
                "because": _because(answered),
            }
        )
    return recommendations


def _because(answered: Answered) -> str:
    question = answered.question
    now = question.options[answered.option or 0]
    if answered.measured is None or question.measure is None:
        return f"{question.text} {now}"
    return f"{question.text} {now} ({question.measure.meaning}: {shown(answered.measured, question.measure.unit)})"


def shown(value: float, unit: str) -> str:
    """A measured figure for people."""
    if unit == "share":
        return f"{value * 100:.0f} %"
    return f"{value:.0f} {unit}"


def level_of(score: Fraction | None) -> str | None:
    """The name of a score of 0 to 100."""
    if score is None:
        return None
    return next(name for below, name in LEVELS if score < below)


def _points(score: Fraction | None) -> float | None:
    if score is None:
        return None
    return float(score)
