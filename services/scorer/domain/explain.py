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
    conflict, withdrawn, test, other_survey, filtered, outside_window, superseded is told."""
    ordered = sorted(candidates, key=lambda candidate: candidate.answer.order)
    reasons: list[Reason | None] = [_own_reason(candidate, span) for candidate in ordered]
    if method != "all":
        seen: set[str] = set()
        for position in reversed(range(len(ordered))):
            if reasons[position] is None:
                person = ordered[position].answer.stakeholder_id
                if person in seen:
                    reasons[position] = "superseded"
                seen.add(person)
    verdicts = list(zip(ordered, reasons, strict=True))
    counted = [candidate.answer for candidate, reason in verdicts if reason is None]
    return counted, [(candidate.answer, reason) for candidate, reason in verdicts if reason is not None]


def _own_reason(candidate: Candidate, span: Span) -> Reason | None:
    """Why this answer by itself does not count."""
    tests: tuple[tuple[bool, Reason], ...] = (
        (candidate.conflict, "conflict"),
        (candidate.withdrawn, "withdrawn"),
        (candidate.test, "test"),
        (not candidate.asked_for, "other_survey"),
        (not candidate.chosen, "filtered"),
        (not span.holds(candidate.answer.answered_at), "outside_window"),
    )
    return next((reason for applies, reason in tests if applies), None)
