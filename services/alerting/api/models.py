"""What the follow-up API takes and gives."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.alerting.domain.tasks import Contact as ContactValue
from shared.api.follow_ups import OutcomeName, SeverityName
from shared.http.params import Instant
from shared.ids import Identifier, StakeholderIdentifier

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


class Colleague(Input):
    """Somebody to hand a follow-up to."""

    name: Line | None = None
    email: Email

    def value(self) -> ContactValue:
        """As the domain has it."""
        return ContactValue(self.name, self.email)


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
    stakeholder_id: StakeholderIdentifier | None = None
    response_id: Identifier | None = None
    kind: Kind = "manual"
    title: Title | None = None
    severity: SeverityName = "medium"
    due_at: Instant | None = Field(default=None, description="By default in business time, by severity.")
    owner: Colleague | None = Field(default=None, description="By default the owner of the account.")
    reason: Text | None = None
    playbook: Text | None = None
