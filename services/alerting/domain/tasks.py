"""A follow-up task: what it holds, and what a change of it looks like."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.alerting.domain.severity import Severity

TaskState = Literal["open", "acknowledged", "in_progress", "snoozed", "closed"]
Recipient = Literal["owner", "sponsor", "leader"]
Outcome = Literal["resolved", "dismissed", "answered", "improved", "corrected", "over", "gone", "superseded", "merged"]
ClosedBy = Literal["person", "facts"]
EscalationCause = Literal["overdue", "promise_near", "promise_past"]
NextResult = Literal["recovered", "unchanged", "worse"]
OwnerSource = Literal["directory", "default", "assigned"]
STATES: tuple[TaskState, ...] = ("open", "acknowledged", "in_progress", "snoozed", "closed")
BY_PEOPLE: tuple[Outcome, ...] = ("resolved", "dismissed")
"""The outcomes of what people have done; the others say what became of the reason."""
SYSTEM = "system"
"""The actor of what Tellback does by itself."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A colleague: owner, sponsor or leader."""

    name: str | None = None
    email: str | None = None

    @property
    def known(self) -> bool:
        """Whether anybody is named at all."""
        return bool(self.name or self.email)


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised to the customer, and by when."""

    what: str
    by: datetime


@dataclass(frozen=True, slots=True)
class Escalation:
    """One level: who hears of the task at `due_at`, unless somebody has taken it on, and when they did."""

    level: int
    cause: EscalationCause
    to: Recipient
    due_at: datetime
    fired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NextAnswer:
    """The person's next answer to the same question, and what it says about the follow-up."""

    response_id: str
    score: int
    answered_at: datetime
    result: NextResult


@dataclass(frozen=True, slots=True)
class Closing:
    """How a task ended. `result` is what came of a growth task."""

    outcome: Outcome
    root_cause: str | None = None
    what_was_done: str | None = None
    told_customer: bool | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class EndedReason:
    """The reason of a task is so no longer: since when, why, and the outcome with which it may be closed."""

    since: datetime
    because: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Task:
    """One follow-up. `policy` is a snapshot of the rule and the calendar under which it was opened, so that
    later changes of either leave a running task alone. `version` grows by one with every change. `paused_seconds` is
    the business time for which it was snoozed or without a reason, which its due time includes. Who took it on and does
    nothing until `ack_expires_at` loses it again, once. `touched_at` is when somebody first worked on it; what nobody
    has touched closes by itself when its reason is over. `linked_to` is the follow-up that took its place, or the one
    that it follows.
    """

    follow_up_id: UUID
    version: int
    kind: str
    title: str
    severity: Severity
    state: TaskState
    account_id: str
    stakeholder_id: str | None
    response_id: str | None
    owner: Contact
    owner_source: OwnerSource
    recipient: Recipient
    informed: tuple[Contact, ...]
    due_at: datetime
    occurrences: int
    reasons: tuple[str, ...]
    inhibited: tuple[str, ...]
    playbook: str
    opened_at: datetime
    opened_by: str
    updated_at: datetime
    policy: dict[str, Any] = field(default_factory=dict)
    score: int | None = None
    touchpoint: str | None = None
    product: str | None = None
    acknowledged_at: datetime | None = None
    started_at: datetime | None = None
    snoozed_until: datetime | None = None
    promise: Promise | None = None
    closed_at: datetime | None = None
    closing: Closing | None = None
    escalations: tuple[Escalation, ...] = ()
    paused_since: datetime | None = None
    paused_seconds: int = 0
    ack_expires_at: datetime | None = None
    unacknowledged_at: datetime | None = None
    survey_type: str | None = None
    nps_kind: str | None = None
    next_answer: NextAnswer | None = None
    touched_at: datetime | None = None
    over: EndedReason | None = None
    closed_by: ClosedBy | None = None
    linked_to: UUID | None = None

    @property
    def reason_holds(self) -> bool:
        """Whether what it says is so now."""
        return self.over is None

    @property
    def is_by_hand(self) -> bool:
        """Whether a person opened it: then it closes by itself only when nobody is left to follow up with."""
        return self.opened_by != SYSTEM

    @property
    def is_closed(self) -> bool:
        """Whether the loop is closed."""
        return self.state == "closed"

    @property
    def is_growth(self) -> bool:
        """Whether it is a chance to grow rather than a risk, by the rule that opened it."""
        return bool((self.policy.get("rule") or {}).get("growth"))

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, once it has."""
        if self.closing is None:
            return None
        return self.closing.outcome


@dataclass(frozen=True, slots=True)
class TaskChange:
    """Who changes a task, when and why. `touches`: a person does it, so the task no longer closes by itself."""

    actor: str
    at: datetime
    comment: str | None = None
    touches: bool = True


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a task's history. `changes` maps a field to its old and new value; `event_id` is the event
    that published the change, so that its message can be found.
    """

    action: str
    actor: str
    at: datetime
    version: int
    comment: str | None = None
    changes: dict[str, list[Any]] = field(default_factory=dict)
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TaskStep:
    """A changed task with the line that says so."""

    task: Task
    entry: HistoryEntry

    @property
    def is_published(self) -> bool:
        """Whether the change concerns others: then the version has grown."""
        return self.entry.action != REWORDED


REWORDED = "said_anew"
"""The words of a task were brought up to date; nobody's work went stale."""
