"""Rules of follow-ups and their dry runs, as the API tells them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.api.follow_ups import SeverityName

RecipientName = Literal["owner", "sponsor", "leader"]
Reach = Literal["person", "account"]
MAX_SHOWN = 500


class RuleView(BaseModel):
    """A version of a rule."""

    rule_id: str = Field(examples=["detractor_0_3"])
    version: int
    position: int = Field(description="The table's order; breaks ties.")
    kind: str = Field(description="What its follow-ups are called.", examples=["detractor"])
    label: str
    event: str = Field(examples=["stakeholder.answered"])
    conditions: dict[str, Any] = Field(examples=[{"survey_type": {"in": ["nps"]}, "score": {"min": 0, "max": 3}}])
    severity: SeverityName
    due: dict[str, Any] = Field(examples=[{"amount": 4, "unit": "business_hours"}])
    recipient: RecipientName
    informs: list[str]
    reason: str
    playbook: str
    inhibited_by: list[str]
    inhibited_within: Reach
    escalation: list[dict[str, Any]]
    closes_on_answer: bool
    growth: bool
    enabled: bool
    about: Reach
    created_at: datetime
    created_by: str


class WouldOpen(BaseModel):
    """A follow-up that would have been opened."""

    event_id: UUID
    event: str
    at: datetime
    account_id: str
    stakeholder_id: str | None
    response_id: str | None
    rule_id: str
    kind: str
    severity: SeverityName
    due_at: datetime
    reasons: list[str]
    follow_up_id: UUID | None = Field(description="The follow-up that the event went into then, if any.")


class DryRunResult(BaseModel):
    """What the rules would have done with past events; nothing was opened."""

    since: datetime
    until: datetime
    considered: int = Field(description="Events looked at.")
    would_open: int = Field(examples=[14])
    would_repeat: int = Field(description="Occurrences of one that would have been open.")
    would_inhibit: int = Field(description="Taken in by a stronger one that would have been open.")
    opens_now: int = Field(description="The same with the rules in force.")
    sentence: str = Field(examples=["would have opened 14 tasks"])
    items: list[WouldOpen] = Field(description=f"The newest {MAX_SHOWN} that would have been opened, oldest first.")
