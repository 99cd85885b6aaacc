"""What a response must be to be an answer at all, and what contradicts one that was recorded first."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shared.amendments import answer_fits, score_fits

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Answers are not older than the collector takes; the far end only keeps date arithmetic in range."""


def defect(survey_type: str, score: int, answered_at: datetime, answers: Sequence[Mapping[str, Any]]) -> str | None:
    """Why a response that has the right form can still not be an answer, as a stable code; None when it can."""
    if not score_fits(survey_type, score):
        return "score_out_of_range"
    if answered_at.tzinfo is None or not EARLIEST <= answered_at < LATEST:
        return "answered_at_out_of_range"
    if answers and not all(answer_fits(survey_type, dict(entry)) for entry in answers):
        return "invalid_answers"
    return None


def contradictions(sent: Iterable[str], later: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    """The fields that a client sent with a response id seen before and that differ from what it sent first; fields
    that were filled in are not compared. Empty for a plain repeat."""
    compared = {"account_id", "stakeholder_id", *sent} & later.keys() & first.keys() - NOT_SENT
    return sorted(name for name in compared if later[name] != first[name])


def same_person(later: Mapping[str, Any], first: Mapping[str, Any], person_id: str) -> Mapping[str, Any]:
    """A later record of an id as if it named its person as the first one did, where both are of the same person: by
    whichever of their ids, and an address that is the id is no further field."""
    if person_id != first["person_id"]:
        return later
    alike = {"stakeholder_id": first["stakeholder_id"]}
    if later["email"] == later["stakeholder_id"]:
        alike["email"] = first["email"]
    return {**later, **alike}


NOT_SENT: Final = frozenset(("recorded_at", "quiet", "sent"))
"""What the collector adds of its own."""
