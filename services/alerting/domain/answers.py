"""An answer and what was changed about it: per field the newest change wins, a withdrawal is final.

The scorer judges changes and parks what does not fit. Here the same ones count, so that both say the same of an answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.alerting.domain.people import FRESH, Answer

_CLEARED: Mapping[str, Any] = {
    "comment": None,
    "touchpoint": None,
    "product": None,
    "language": None,
    "follow_up_requested": False,
    "test": False,
}
"""What an amendment to null leaves behind, for the fields that alerting keeps; `score` cannot be cleared."""
_TYPES: Mapping[str, type] = {
    "score": int,
    "comment": str,
    "touchpoint": str,
    "product": str,
    "language": str,
    "follow_up_requested": bool,
    "test": bool,
}
_SCALES: Mapping[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
AMENDABLE = tuple(_TYPES)
"""The fields of an answer that alerting keeps and that may change."""


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """One amendment or withdrawal. `survey_type` and `posted` say, where they are known, what the answer must be that
    it is meant for."""

    event_id: UUID
    account_id: str
    response_id: str
    stakeholder_id: str | None
    kind: Literal["amended", "withdrawn"]
    recorded_at: datetime
    changes: Mapping[str, Any] = field(default_factory=dict)
    survey_type: str | None = None
    posted: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """What an event of the scorer said of an answer that has not come itself."""

    change: str | None = None
    previous_score: int | None = None
    falls_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was recorded first, and as it is now; `posted` is the digest of what the client sent. `named`: it
    has not come itself, an event of the scorer has named it.
    """

    recorded: Answer
    live: Answer
    recorded_at: datetime
    named: Named | None = None
    posted: str = ""

    @property
    def order(self) -> tuple[datetime, str]:
        """By when people answered, then by response_id."""
        return self.live.answered_at, self.live.response_id

    @property
    def counts(self) -> bool:
        """Whether it is an answer at all: neither withdrawn nor a test."""
        return not (self.live.withdrawn or self.live.test)

    @property
    def is_fresh(self) -> bool:
        """Whether anybody may be told of it: recorded at most 30 days after it was given, and not by a quiet import."""
        return not self.live.quiet and self.recorded_at - self.live.answered_at <= FRESH


def live_answer(recorded: Answer, changes: Iterable[AnswerChange], posted: str | None = None) -> Answer:
    """The answer after all its changes, in whatever order they came; those that do not fit count nowhere. `posted` is
    the digest of what was first recorded."""
    fitting = [change for change in changes if _is_of(change, recorded, posted) and _fits(change, recorded)]
    if not fitting:
        return recorded
    values: dict[str, Any] = {}
    for change in sorted(fitting, key=lambda change: (change.recorded_at, change.event_id)):
        values |= {name: _live(name, new) for name, new in change.changes.items() if name in _TYPES}
    return replace(recorded, **values, withdrawn=any(change.kind == "withdrawn" for change in fitting))


def _is_of(change: AnswerChange, recorded: Answer, posted: str | None) -> bool:
    """Whether this is the answer that the change is meant for."""
    said = (change.stakeholder_id, change.survey_type, change.posted)
    stands = (recorded.stakeholder_id, recorded.survey_type, posted)
    return all(wanted in (None, found) for wanted, found in zip(said, stands, strict=True))


def _fits(change: AnswerChange, recorded: Answer) -> bool:
    """Whether all that it changes may be of an answer to this survey."""
    if not all(_has_type(name, value) for name, value in change.changes.items()):
        return False
    lowest, highest = _SCALES[recorded.survey_type]
    entries = change.changes.get("answers") or []
    return lowest <= change.changes.get("score", lowest) <= highest and not any(
        entry["type"] in ("nps", recorded.survey_type) for entry in entries
    )


def _has_type(name: str, value: Any) -> bool:
    if value is None:
        return name != "score"
    if name == "answers":
        return isinstance(value, list) and all(isinstance(entry, dict) and "type" in entry for entry in value)
    return name not in _TYPES or type(value) is _TYPES[name]


def _live(name: str, value: Any) -> Any:
    return _CLEARED[name] if value is None else value
