"""Fold the changes of one response into its live values: one rule for all services that keep answers.

The live values depend on the set of changes alone, never on the order in which they arrive: per field the greatest
order (rank, time, event_id) wins, a withdrawal is final, and a change that does not fit its response counts nowhere.
Domains build on this module, so it imports the standard library alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

ChangeKind = Literal["amended", "withdrawn", "undone"]
OF_A_FILE, OF_A_CLIENT = 0, 1
"""Ranks of changes: a file does not overwrite what somebody has set by a call."""
SCALES: Final[Mapping[str, tuple[int, int]]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""Smallest and largest score of each survey type."""
CLEARED: Final[Mapping[str, Any]] = {
    "comment": None,
    "touchpoint": None,
    "product": None,
    "language": None,
    "follow_up_requested": False,
    "test": False,
    "attributes": {},
    "answers": [],
}
"""The value of a field after an amendment to null. These fields and `score`, which cannot be cleared, can be
amended."""
AMENDABLE: Final = ("score", *CLEARED)
TOLD: Final = ("score", "follow_up_requested", "test")
"""The amendable fields of which a correction is told to others."""


@dataclass(frozen=True, slots=True)
class Change:
    """One amendment or withdrawal; `changes` maps field -> new value, null = cleared. `survey_type` and `posted`, where
    they are known, say which response the change is meant for.

    A change by a row of a file has the `import_id` of the file and the time at which the file was written, which may be
    long before it came. `undone` takes the changes of an import back, and the response if it came of this import.
    `quiet` is a change of which nobody is told: by a row of a quiet file, or the undoing of an import.
    """

    event_id: UUID
    kind: ChangeKind
    account_id: str
    stakeholder_id: str | None
    recorded_at: datetime
    changes: Mapping[str, Any] = field(default_factory=dict)
    survey_type: str | None = None
    posted: str | None = None
    rank: int = OF_A_CLIENT
    written_at: datetime | None = None
    import_id: UUID | None = None
    quiet: bool = False

    @property
    def order(self) -> tuple[int, datetime, UUID]:
        """The sort key of changes: of two changes to one field the greater wins."""
        return self.rank, self.written_at or self.recorded_at, self.event_id


@dataclass(frozen=True, slots=True)
class Subject:
    """The response that changes refer to: its account, its stakeholder and its survey type. `posted` is the digest of
    the response as it was first recorded; it is needed only for changes that name one. `given_stakeholder_id` is the id
    that the response was given with, where that is another one of the person. `import_id` is the import that recorded
    it first, if one did."""

    account_id: str
    stakeholder_id: str
    survey_type: str
    posted: str | None = None
    given_stakeholder_id: str | None = None
    import_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """The result of folding: live values of the changed fields, how many changes fitted, when the last of them was
    recorded (None without any), and when the import that recorded the response was undone. An undone response counts
    as withdrawn, until another record of its id comes. `quiet` says whether the last change of what is told of the
    response (`TOLD`, or that it counts no longer) was quiet."""

    values: Mapping[str, Any]
    withdrawn: bool
    fitted: int
    changed_at: datetime | None
    undone_at: datetime | None = None
    quiet: bool = False


def fold(subject: Subject, changes: Iterable[Change]) -> Live:
    """The live values that follow from a response's changes, in whatever order they are given."""
    fitting = [change for change in changes if refusal(subject, change) is None]
    fitting.sort(key=lambda change: change.order)
    undone = {change.import_id: change.recorded_at for change in fitting if change.kind == "undone"}
    undone_at = undone.get(subject.import_id)
    values: dict[str, Any] = {}
    deciding: dict[str, Change] = {}
    for change in fitting:
        if change.kind != "amended":
            deciding[change.kind] = change
        if change.import_id in undone:
            continue
        for name, value in change.changes.items():
            if name in AMENDABLE:
                values[name] = live_value(name, value)
            if name in TOLD:
                deciding[name] = change
    last = max(deciding.values(), key=lambda change: (change.recorded_at, change.event_id), default=None)
    return Live(
        values,
        withdrawn=undone_at is not None or any(change.kind == "withdrawn" for change in fitting),
        fitted=len(fitting),
        changed_at=max((change.recorded_at for change in fitting), default=None),
        undone_at=undone_at,
        quiet=last is not None and last.quiet,
    )


def live_value(name: str, value: Any) -> Any:
    """The value that an amendment leaves in a field; null clears."""
    if value is None:
        return CLEARED[name]
    return value


def refusal(subject: Subject, change: Change) -> str | None:
    """Why a change cannot count for its response, as a stable code; None when it can.

    `wrong_account`, `wrong_stakeholder` and `wrong_response`: the change is meant for another response.
    `invalid_change`: no response to this survey type can have such a change.
    """
    if change.account_id != subject.account_id:
        return "wrong_account"
    if change.stakeholder_id not in (None, subject.stakeholder_id, subject.given_stakeholder_id):
        return "wrong_stakeholder"
    if change.survey_type not in (None, subject.survey_type) or change.posted not in (None, subject.posted):
        return "wrong_response"
    if not all(_fits(name, value, subject.survey_type) for name, value in change.changes.items()):
        return "invalid_change"
    return None


def score_fits(survey_type: str, score: Any) -> bool:
    """Whether this is an integer on the scale of the survey type."""
    lowest, highest = SCALES[survey_type]
    return isinstance(score, int) and not isinstance(score, bool) and lowest <= score <= highest


def _fits(name: str, value: Any, survey_type: str) -> bool:
    if name == "score":
        return score_fits(survey_type, value)
    if name not in CLEARED or value is None:
        return True  # a field of a later minor version, or a field that is cleared
    return _CHECKS[name](value, survey_type)


def _is_text(value: Any, _survey_type: str) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any, _survey_type: str) -> bool:
    return isinstance(value, bool)


def _is_flat(value: Any, _survey_type: str) -> bool:
    return isinstance(value, dict)


def _are_answers(value: Any, survey_type: str) -> bool:
    return isinstance(value, list) and all(answer_fits(survey_type, entry) for entry in value)


_CHECKS: Final[Mapping[str, Callable[[Any, str], bool]]] = {
    "comment": _is_text,
    "touchpoint": _is_text,
    "product": _is_text,
    "language": _is_text,
    "follow_up_requested": _is_flag,
    "test": _is_flag,
    "attributes": _is_flat,
    "answers": _are_answers,
}
RATING: Final = (-1_000_000, 1_000_000)
"""Ratings have the scale of their own question; the bounds only keep out what no scale has."""


def answer_fits(survey_type: str, entry: Any) -> bool:
    """Whether an entry of `answers` may stand in a submission of this survey type: never a second score."""
    if not isinstance(entry, dict) or not isinstance(entry.get("question_id"), str):
        return False
    kind, value, attribute = str(entry.get("type")), entry.get("value"), entry.get("attribute")
    if kind in ("nps", survey_type) or not (attribute is None or isinstance(attribute, str)):
        return False
    if kind in SCALES:
        return score_fits(kind, value)
    if kind == "rating":
        return isinstance(value, int) and not isinstance(value, bool) and RATING[0] <= value <= RATING[1]
    return kind in ("choice", "text") and isinstance(value, str | int) and not isinstance(value, bool)
