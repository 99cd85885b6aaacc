"""An answer and what was changed about it: per field the newest change wins, a withdrawal is final."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.alerting.domain.people import Answer

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


def live_answer(recorded: Answer, changes: Iterable[AnswerChange]) -> Answer:
    """The answer after all its changes, in whatever order they came; those that speak of others count nowhere."""
    fitting = [one for one in changes if one.stakeholder_id in (None, recorded.stakeholder_id)]
    if not fitting:
        return recorded
    values: dict[str, Any] = {}
    for change in sorted(fitting, key=lambda one: (one.recorded_at, one.event_id)):
        values |= {name: _live(name, new) for name, new in change.changes.items() if _fits(name, new)}
    return replace(recorded, **values, withdrawn=any(one.kind == "withdrawn" for one in fitting))


def _fits(name: str, value: Any) -> bool:
    if value is None:
        return name in _CLEARED
    return name in _TYPES and type(value) is _TYPES[name]


def _live(name: str, value: Any) -> Any:
    return _CLEARED[name] if value is None else value
