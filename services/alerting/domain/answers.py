"""An answer as alerting keeps it, and what was changed about it. Changes count by the rules of `shared.amendments`, as
in the scorer, which parks changes that do not fit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.alerting.domain.people import FRESH, Answer
from shared.amendments import Change, Subject, fold

AnswerKey = tuple[str, str]
"""The account_id and the response_id of an answer."""
AMENDABLE = ("score", "comment", "touchpoint", "product", "language", "follow_up_requested", "test")
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
class Placeholder:
    """What a score event said of an answer that the topic responses has not brought yet."""

    change: str | None = None
    previous_score: int | None = None
    falls_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was recorded first, and as it is now; `posted` is the digest of what the client sent.
    `placeholder` is there while only a score event has named the answer.
    """

    recorded: Answer
    live: Answer
    recorded_at: datetime
    placeholder: Placeholder | None = None
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
        """Whether follow-ups and messages may come of it: recorded within 30 days, and not by a quiet import."""
        return not self.live.quiet and self.recorded_at - self.live.answered_at <= FRESH

    def of(self, stakeholder_id: str) -> "StoredAnswer":
        """The answer as the person's, whichever of their ids it was given with."""
        if stakeholder_id == self.recorded.stakeholder_id:
            return self
        recorded = replace(self.recorded, stakeholder_id=stakeholder_id)
        return replace(self, recorded=recorded, live=replace(self.live, stakeholder_id=stakeholder_id))


def live_answer(
    recorded: Answer, changes: Iterable[AnswerChange], posted: str | None = None, person_id: str | None = None
) -> Answer:
    """The answer after all its changes, in whatever order they came; those that do not fit count nowhere. `posted` is
    the digest of what was first recorded, `person_id` whose the id is that it was given with."""
    given = recorded.stakeholder_id
    subject = Subject(recorded.account_id, person_id or given, recorded.survey_type, posted, given)
    live = fold(subject, [_change_of(change) for change in changes])
    if not live.fitted:
        return recorded
    values = {name: value for name, value in live.values.items() if name in AMENDABLE}
    return replace(recorded, **values, withdrawn=live.withdrawn)


def _change_of(change: AnswerChange) -> Change:
    return Change(
        change.event_id,
        change.kind,
        change.account_id,
        change.stakeholder_id,
        change.recorded_at,
        change.changes,
        change.survey_type,
        change.posted,
    )
