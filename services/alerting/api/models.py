"""What the follow-up API takes and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.alerting.domain.tasks import Contact as ContactValue
from shared.http.params import Instant
from shared.ids import Identifier

State = Literal["open", "acknowledged", "in_progress", "snoozed", "closed"]
SeverityName = Literal["critical", "high", "medium", "low"]
OutcomeName = Literal[
    "resolved", "dismissed", "answered", "improved", "corrected", "over", "gone", "superseded", "merged"
]
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=ONE_LINE)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=130, pattern=ONE_LINE)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, max_length=320, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$"
    ),
]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
Version = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1, description="The version you saw; 409 when stale.")]


class Input(BaseModel):
    """Base of all bodies: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Contact(BaseModel):
    """A colleague."""

    name: str | None = Field(default=None, examples=["Olivia Owner"])
    email: str | None = Field(default=None, examples=["olivia@supplier.example"])


class Colleague(Input):
    """Somebody to hand a follow-up to."""

    name: Line | None = None
    email: Email

    def value(self) -> ContactValue:
        """As the domain has it."""
        return ContactValue(self.name, self.email)


class FollowUp(BaseModel):
    """A follow-up as lists and webhooks show it."""

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


class Promise(BaseModel):
    """What was promised, and by when."""

    what: str
    by: datetime


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
    promise: Promise | None
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


class Step(Input):
    """Body of a change; all of it optional."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 1, "comment": "Calling her this afternoon."}]}
    )

    version: Version | None = None
    comment: Text | None = Field(default=None, description="Why, for the history.")


class SnoozeStep(Step):
    """Put it away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"until": "2026-04-07T09:00:00Z", "comment": "She is on holiday."}]}
    )

    until: Instant


class AssignStep(Step):
    """Hand it over."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"owner": {"name": "Olivia Owner", "email": "olivia@supplier.example"}}]}
    )

    owner: Colleague


class PromiseStep(Step):
    """What was promised to the customer, and by when."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"what": "A new contact for deliveries", "by": "2026-04-10T17:00:00Z"}]}
    )

    what: Text
    by: Instant


class CloseStep(Step):
    """How it ended. What only facts bring about is an outcome while `reason_holds` is false, else 422."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "outcome": "resolved",
                    "root_cause": "late deliveries",
                    "what_was_done": "New carrier",
                    "told_customer": True,
                }
            ]
        }
    )

    outcome: OutcomeName = "resolved"
    root_cause: Line | None = Field(default=None, description="One of your causes; the summary groups by it.")
    what_was_done: Text | None = None
    told_customer: bool | None = Field(default=None, strict=True, description="Whether the customer heard back.")
    result: Text | None = Field(default=None, description="What came of a growth task.")


class CommentStep(Input):
    """A remark."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "She wants a fixed contact."}]})

    comment: Text
    version: Version | None = None


class NewFollowUp(Input):
    """A follow-up opened by hand."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"account_id": "acme", "stakeholder_id": "jane@acme.example", "reason": "asked at the fair"}]
        },
    )

    account_id: Identifier
    stakeholder_id: Identifier | None = None
    response_id: Identifier | None = None
    kind: Kind = "manual"
    title: Title | None = None
    severity: SeverityName = "medium"
    due_at: Instant | None = Field(default=None, description="By default in business time, by severity.")
    owner: Colleague | None = Field(default=None, description="By default the owner of the account.")
    reason: Text | None = None
    playbook: Text | None = None


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


class Erasure(BaseModel):
    """When and how much was erased here."""

    receipt_id: str
    status: Literal["waiting", "applied"] = Field(
        description="`waiting`: the person is shown nowhere any more, and their rows go as soon as they can."
    )
    erased_at: datetime = Field(description="What was recorded until then is gone and stays out.")
    applied_at: datetime | None = Field(description="When this service had done it; null while it waits.")
    gone_from_log_at: datetime | None = Field(
        description="When the last record about the person that this service has written leaves Kafka's log, by the"
        " retention of its topics; null while it waits. What webhooks have brought to receivers is with them."
    )
    responses: int
    follow_ups: int
    messages: int
