"""Why an answer counts in a figure, or does not: every answer of an account has exactly one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.scorer.domain.answers import Answer, Method
from services.scorer.domain.windows import Span

Reason = Literal["outside_window", "superseded", "withdrawn", "test", "other_survey", "filtered", "conflict"]
REASONS: Final[tuple[Reason, ...]] = (
    "outside_window",
    "superseded",
    "withdrawn",
    "test",
    "other_survey",
    "filtered",
    "conflict",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer of the account, live or not. `asked_for` says that it is of the survey type in question,
    `chosen` that the filters let it through."""

    answer: Answer
    withdrawn: bool = False
    test: bool = False
    asked_for: bool = True
    chosen: bool = True
    conflict: bool = False


def explain(
    candidates: Sequence[Candidate], span: Span, method: Method
) -> tuple[list[Answer], list[tuple[Answer, Reason]]]:
    """(counted, not counted with the reason), both in order of answering. Of several reasons the first of
    conflict, withdrawn, test, other_survey, filtered, outside_window, superseded is given."""
    counted: list[Answer] = []
    not_counted: list[tuple[Answer, Reason]] = []
    counted_people: set[str] = set()
    ordered = sorted(candidates, key=lambda candidate: candidate.answer.order)
    for candidate in reversed(ordered):  # the latest answer of a person comes first, and supersedes the others
        answer, reason = candidate.answer, _own_reason(candidate, span)
        if reason is None and method != "all" and answer.stakeholder_id in counted_people:
            reason = "superseded"
        if reason is None:
            counted.append(answer)
            counted_people.add(answer.stakeholder_id)
        else:
            not_counted.append((answer, reason))
    return counted[::-1], not_counted[::-1]


def _own_reason(candidate: Candidate, span: Span) -> Reason | None:
    """Why this answer by itself does not count."""
    if candidate.conflict:
        return "conflict"
    if candidate.withdrawn:
        return "withdrawn"
    if candidate.test:
        return "test"
    if not candidate.asked_for:
        return "other_survey"
    if not candidate.chosen:
        return "filtered"
    if not span.holds(candidate.answer.answered_at):
        return "outside_window"
    return None
