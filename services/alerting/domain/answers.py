"""An answer and what was changed about it: per field the newest change wins, a withdrawal is final."""

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
AMENDABLE = tuple(_TYPES)
"""The fields of an answer that alerting keeps and that may change."""


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """One amendment or withdrawal."""

    event_id: UUID
    account_id: str
    response_id: str
    stakeholder_id: str | None
    kind: Literal["amended", "withdrawn"]
    recorded_at: datetime
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """What an event of the scorer said of an answer that has not come itself."""

    change: str | None = None
    previous_score: int | None = None
    falls_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was recorded first, and as it is now. `named`: it has not come itself, an event of the scorer has
    named it.
    """

    recorded: Answer
    live: Answer
    recorded_at: datetime
    named: Named | None = None

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


def live_answer(recorded: Answer, changes: Iterable[AnswerChange]) -> Answer:
    """The answer after all its changes, in whatever order they came; those that speak of others count nowhere."""
    fitting = [change for change in changes if change.stakeholder_id in (None, recorded.stakeholder_id)]
    if not fitting:
        return recorded
    values: dict[str, Any] = {}
    for change in sorted(fitting, key=lambda change: (change.recorded_at, change.event_id)):
        values |= {name: _live(name, new) for name, new in change.changes.items() if _fits(name, new)}
    return replace(recorded, **values, withdrawn=any(change.kind == "withdrawn" for change in fitting))


def _fits(name: str, value: Any) -> bool:
    if value is None:
        return name in _CLEARED
    return name in _TYPES and type(value) is _TYPES[name]


def _live(name: str, value: Any) -> Any:
    return _CLEARED[name] if value is None else value
