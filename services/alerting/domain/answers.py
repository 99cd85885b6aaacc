"""An answer as alerting keeps it, and what was changed about it. Changes count by the rules of `shared.amendments`, as
in the scorer, which parks changes that do not fit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerting.domain.people import FRESH, Answer
from shared.amendments import OF_A_CLIENT, Change, ChangeKind, Subject, fold

AnswerKey = tuple[str, str]
"""The account_id and the response_id of an answer."""
AMENDABLE = ("score", "comment", "touchpoint", "product", "language", "follow_up_requested", "test")
"""The fields of an answer that alerting keeps and that may change."""


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """One amendment or withdrawal, by a client or by a row of a file, or the undoing of an import. `survey_type` and
    `posted` say, where they are known, what the answer must be that it is meant for."""

    event_id: UUID
    account_id: str
    response_id: str
    stakeholder_id: str | None
    kind: ChangeKind
    recorded_at: datetime
    changes: Mapping[str, Any] = field(default_factory=dict)
    survey_type: str | None = None
    posted: str | None = None
    rank: int = OF_A_CLIENT
    written_at: datetime | None = None
    import_id: UUID | None = None

    @classmethod
    def of(cls, change: Change, response_id: str) -> "AnswerChange":
        """The change of the answer with this id."""
        return cls(
            change.event_id,
            change.account_id,
            response_id,
            change.stakeholder_id,
            change.kind,
            change.recorded_at,
            change.changes,
            change.survey_type,
            change.posted,
            change.rank,
            change.written_at,
            change.import_id,
        )

    def change(self) -> Change:
        """The change as answers are folded from it, which needs no id of its answer."""
        return Change(
            self.event_id,
            self.kind,
            self.account_id,
            self.stakeholder_id,
            self.recorded_at,
            self.changes,
            self.survey_type,
            self.posted,
            self.rank,
            self.written_at,
            self.import_id,
        )


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What a score event said of an answer that the topic responses has not brought yet."""

    change: str | None = None
    previous_score: int | None = None
    falls_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was recorded first, and as it is now; `posted` is the digest of what the client sent, `digests`
    those of what is not kept here. `import_id` is the import that recorded it, and `undone_at` when that was undone.
    `placeholder` is there while only a score event has named the answer.
    """

    recorded: Answer
    live: Answer
    recorded_at: datetime
    placeholder: Placeholder | None = None
    posted: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    import_id: UUID | None = None
    undone_at: datetime | None = None

    def subject(self, person_id: str) -> Subject:
        """What changes refer to; the answer is this person's, whichever of their ids it was given with."""
        answer = self.recorded
        given = answer.stakeholder_id
        return Subject(answer.account_id, person_id, answer.survey_type, self.posted, given, self.import_id)

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


def folded(stored: StoredAnswer, changes: Iterable[AnswerChange], person_id: str) -> StoredAnswer:
    """The answer after all its changes, in whatever order they came; those that do not fit count nowhere. `person_id`
    is whose the id is that it was given with."""
    live = fold(stored.subject(person_id), [change.change() for change in changes])
    if not live.fitted:
        return replace(stored, live=stored.recorded, undone_at=None)
    values = {name: value for name, value in live.values.items() if name in AMENDABLE}
    answer = replace(stored.recorded, **values, withdrawn=live.withdrawn)
    return replace(stored, live=answer, undone_at=live.undone_at)
