"""Follow-ups, and how well the loop is closed."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

State = Literal["open", "acknowledged", "in_progress", "snoozed", "closed"]
SeverityName = Literal["critical", "high", "medium", "low"]
OutcomeName = Literal[
    "resolved", "dismissed", "answered", "improved", "corrected", "over", "gone", "superseded", "merged"
]


class Contact(BaseModel):
    """A colleague."""

    name: str | None = Field(default=None, examples=["Olivia Owner"])
    email: str | None = Field(default=None, examples=["olivia@supplier.example"])


class Promise(BaseModel):
    """What was promised, and by when."""

    what: str
    by: datetime


class FollowUp(BaseModel):
    """A follow-up as lists show it."""

    follow_up_id: str = Field(examples=["5f1c2a52-6a0f-5f5e-9b68-0d9f2f6a7c11"])
    version: int = Field(description="Grows by one with every change.", examples=[1])
    kind: str = Field(description="The rule that opened it, or the kind given by hand.", examples=["detractor"])
    severity: SeverityName
    state: State
    account_id: str = Field(examples=["acme"])
    stakeholder_id: str | None = Field(
        description="Null where it is about the account.", examples=["jane@acme.example"]
    )
    response_id: str | None = Field(description="The newest answer behind it.", examples=["r-1"])
    owner: Contact
    due_at: datetime = Field(description="When the first touch is due, in business time.")
    occurrences: int = Field(description="How often it was triggered.", examples=[1])
    reasons: list[str] = Field(examples=[["scored 2 of 10: a deep detractor"]])
    inhibited: list[str] = Field(
        description="Kinds that held as well and stand back.", examples=[["follow_up_requested"]]
    )
    playbook: str = Field(description="What to do about it.")
    promise: Promise | None = Field(description="What was promised to the customer.")
    opened_at: datetime
    reason_holds: bool = Field(description="False where what it says is so no longer.")
    closed_at: datetime | None
    closed_by: Literal["person", "facts"] | None = Field(
        description="`facts`: nobody had touched it, and its reason was over."
    )
    outcome: OutcomeName | None


class HistoryLine(BaseModel):
    """One change of a follow-up."""

    action: str = Field(examples=["acknowledged"])
    actor: str = Field(description="`key:<id>`, `crm:<endpoint id>` or `system`.", examples=["key:k3v9x0a1b2c3"])
    actor_name: str | None = Field(description="Of a CRM: its endpoint's description, or else the host.")
    at: datetime
    version: int
    comment: str | None
    changes: dict[str, Any] = Field(
        description="Field to old and new value.", examples=[{"state": ["open", "acknowledged"]}]
    )
    webhook_id: str | None = Field(description="The message that told of it.", examples=["msg_5f1c2a52"])


class EscalationView(BaseModel):
    """One level of escalation."""

    level: int
    cause: Literal["overdue", "promise_near", "promise_past"]
    to: Literal["owner", "sponsor", "leader"]
    due_at: datetime
    fired_at: datetime | None = Field(description="Null until it fires; each level fires once.")


class NextAnswerView(BaseModel):
    """The person's next answer to the same question."""

    response_id: str
    score: int
    answered_at: datetime
    result: Literal["recovered", "unchanged", "worse"]


class FollowUpDetail(FollowUp):
    """A follow-up with all that is known of it."""

    title: str
    owner_source: Literal["directory", "default", "assigned"]
    informed: list[Contact] = Field(description="Who is told beside the owner.")
    opened_by: str
    updated_at: datetime
    acknowledged_at: datetime | None = Field(description="The first touch.")
    started_at: datetime | None
    snoozed_until: datetime | None
    next_answer: NextAnswerView | None = Field(description="What the person said afterwards.")
    escalations: list[EscalationView] = Field(description="Who hears of it if nobody takes it on, and who has.")
    paused_seconds: int = Field(description="Business time for which it was snoozed; the due time includes it.")
    unacknowledged_at: datetime | None = Field(description="When it was taken on and left, and opened again.")
    touched_at: datetime | None = Field(description="Since when somebody works on it; only people close it then.")
    over_since: datetime | None = Field(description="Since when its reason is over.")
    over_because: str | None = Field(examples=["answered 9 on 2026-06-01"])
    proposed_outcome: OutcomeName | None = Field(description="The outcome that fits while its reason is over.")
    linked_to: str | None = Field(description="The follow-up that took its place, or the one that it follows.")
    root_cause: str | None
    what_was_done: str | None
    told_customer: bool | None
    result: str | None = Field(description="What came of a growth task.")
    response: dict[str, Any] | None = Field(description="The answer with its whole comment, if it is there.")
    history: list[HistoryLine]


class LoopGroup(BaseModel):
    """How well the loop is closed in one group."""

    group: dict[str, str | None] = Field(examples=[{"kind": "detractor"}])
    opened_count: int
    open_count: int
    overdue_count: int = Field(description="Past due without a first touch, of those whose reason holds.")
    closed_count: int
    resolved_count: int
    dismissed_count: int
    closed_by_facts_count: int = Field(description="Closed by themselves: nobody had touched them.")
    over_count: int = Field(description="Not closed, and so no longer.")
    told_customer_count: int
    loop_count: int = Field(
        description="Follow-ups by which somebody is owed an answer: neither dismissed nor closed by facts, chances to"
        " grow left out."
    )
    closed_loop_count: int = Field(description="Those of them that people have closed.")
    closed_loop_rate: float | None = Field(
        description="`closed_loop_count` over `loop_count`, 0 to 1. A chance to grow that nobody took up leaves no"
        " customer without an answer, so it does not count."
    )
    on_time_rate: float | None = Field(description="First touches by the due time over all that were due, 0 to 1.")
    escalated_count: int = Field(description="Those that nobody had taken on when they were due.")
    recovered_count: int = Field(description="The person's next score was of a better category.")
    unchanged_count: int
    worse_count: int
    recovered_rate: float | None = Field(
        description="Recovered over all whose person has answered again, chances to grow left out, 0 to 1."
    )
    median_hours_to_first_touch: float | None
    median_hours_to_close: float | None


class Summary(BaseModel):
    """Figures of the closed loop."""

    groups: list[LoopGroup]
    accounts_without_owner: list[str] = Field(description="Accounts whose follow-ups wait at the default owner.")


class Why(BaseModel):
    """Everything that led to a follow-up and came of it."""

    follow_up_id: str
    reasons: list[str]
    inhibited: list[str]
    rule: dict[str, Any] | None = Field(description="The rule as it was when it fired; null for one opened by hand.")
    business_time: dict[str, Any] | None = Field(description="The calendar by which it is due.")
    triggers: list[dict[str, Any]] = Field(description="The events, what was known then, and every rule that held.")
    notices: list[dict[str, Any]] = Field(description="What people were told by mail or in a room, and when.")
    messages: list[dict[str, Any]] = Field(description="What went out, and every attempt at each endpoint.")


class BulkResult(BaseModel):
    """What became of one of them."""

    follow_up_id: str
    status: Literal["closed", "refused"]
    version: int | None = Field(description="The version after closing.")
    outcome: OutcomeName | None
    problem: dict[str, Any] | None = Field(description="Why it was refused, `stale_version` for one.")


class BulkAnswer(BaseModel):
    """What became of all of them, in the order of the request."""

    closed: int
    refused: int
    results: list[BulkResult]
