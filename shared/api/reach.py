"""Who is asked and how far that comes, as the API tells it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

FUNNEL_GROUP: dict[str, Any] = {
    "group": {"owner": "kim@supplier.example"},
    "sent_count": 40,
    "delivered_count": 38,
    "opened_count": 27,
    "started_count": 20,
    "answered_count": 17,
    "bounced_count": 2,
    "withdrawn_count": 1,
    "delivered_rate": 1.0,
    "open_rate": 0.7105263157894737,
    "start_rate": 0.5263157894736842,
    "response_rate": 0.4473684210526316,
    "completion_rate": 0.85,
    "bounce_rate": 0.05,
    "comment_rate": 0.18421052631578946,
    "follow_up_request_rate": 0.02631578947368421,
    "warnings": [],
}
FUNNEL: dict[str, Any] = {"window": "90d", "groups": [FUNNEL_GROUP]}
_GAP: dict[str, Any] = {
    "account_id": "acme",
    "name": "Acme Logistics",
    "owner": "kim@supplier.example",
    "known": 1,
    "asked": 1,
    "answered": 0,
    "last_asked_at": "2026-11-02T09:00:00Z",
    "last_answered_at": None,
}
_SIDE: dict[str, Any] = {
    "nps": 50.0,
    "promoter_count": 18,
    "passive_count": 6,
    "detractor_count": 4,
    "stakeholder_count": 28,
}
GAPS: dict[str, Any] = {
    "window": "90d",
    "accounts": {"known": 20, "asked": 18, "answered": 17},
    "people": {"known": 140, "asked": 120, "answered": 90},
    "without_decision_maker": {"account_count": 1, "accounts": [_GAP]},
    "single_threaded": {"account_count": 1, "accounts": [_GAP]},
    "never_asked_in_12_months": {"account_count": 0, "accounts": []},
    "selection": {
        "asked": _SIDE,
        "left_out": _SIDE | {"nps": 0.0, "promoter_count": 9, "passive_count": 10, "detractor_count": 9},
        "difference": 50.0,
        "z": 2.31,
        "significant": True,
    },
    "warnings": ["asked_scored_higher"],
}


class FunnelGroup(BaseModel):
    """How far the invitations of a group came. Rates run from 0 to 1; null where there is nothing to divide by."""

    group: dict[str, str | None] = Field(description="What the invitations have in common; `{}` is all of them.")
    sent_count: int = Field(description="Invitations sent in the window.")
    delivered_count: int | None = Field(description="Of these, delivered; null where no mailer reported a delivery.")
    opened_count: int = Field(description="Of these, seen to be opened.")
    started_count: int = Field(description="Of these, begun.")
    answered_count: int = Field(description="Of these, not bounced and answered.")
    bounced_count: int = Field(description="Of these, bounced.")
    withdrawn_count: int = Field(
        description="Of these, taken back by whoever sent them, neither bounced nor answered: not a silence."
    )
    delivered_rate: float | None = Field(
        description="Delivered over recipients: sent and not bounced; null where no mailer reported a delivery."
    )
    open_rate: float | None = Field(description="Opened over recipients.")
    start_rate: float | None = Field(description="Begun over recipients.")
    response_rate: float | None = Field(description="Answered over recipients.")
    completion_rate: float | None = Field(description="Answered over begun.")
    bounce_rate: float | None = Field(description="Bounced over sent.")
    comment_rate: float | None = Field(description="Answered with a comment over recipients.")
    follow_up_request_rate: float | None = Field(description="Answered with the wish to be called over recipients.")
    warnings: list[str] = Field(
        description="`deliveries_not_reported`: links, and many mailers, never say whether an invitation arrived."
    )


class PortfolioFunnel(BaseModel):
    """The invitation funnel, split as asked."""

    model_config = ConfigDict(json_schema_extra={"example": FUNNEL})

    window: str
    as_of: datetime | None = Field(default=None, description="Only when it was sent.")
    groups: list[FunnelGroup] = Field(description="By group, null last.")


class Reach(BaseModel):
    """So many of them."""

    known: int = Field(description="In the directory or ever heard; accounts also when only asked.")
    asked: int = Field(description="Sent an invitation in the window.")
    answered: int = Field(description="Heard in the window, by any survey.")


class GapAccount(BaseModel):
    """An account of a list, with its people."""

    account_id: str
    name: str | None
    owner: str | None = Field(description="The owner's e-mail address.")
    known: int = Field(description="People in the directory or ever heard.")
    asked: int = Field(description="Of them, asked in the window.")
    answered: int = Field(description="Of them, heard in the window.")
    last_asked_at: datetime | None
    last_answered_at: datetime | None


class Gap(BaseModel):
    """Accounts that have something in common."""

    account_count: int = Field(description="All of them.")
    accounts: list[GapAccount] = Field(description="The first 200, by id.")


class Side(BaseModel):
    """What people had said before the window: the latest NPS answer of each up to its beginning."""

    nps: float | None
    promoter_count: int
    passive_count: int
    detractor_count: int
    stakeholder_count: int


class Selection(BaseModel):
    """Those asked in the window beside those left out."""

    asked: Side
    left_out: Side
    difference: float | None = Field(description="nps of those asked minus that of those left out.")
    z: float | None = Field(description="Difference of the adjusted scores over its standard error.")
    significant: bool = Field(description="|z| ≥ 1.96 with at least 10 people on both sides: beyond chance.")


class PortfolioGaps(BaseModel):
    """Coverage of the portfolio and where it has gaps."""

    model_config = ConfigDict(json_schema_extra={"example": GAPS})

    window: str
    as_of: datetime | None = Field(default=None, description="Only when it was sent.")
    accounts: Reach
    people: Reach
    without_decision_maker: Gap = Field(description="Nobody in the directory decides.")
    single_threaded: Gap = Field(description="Exactly one person is known.")
    never_asked_in_12_months: Gap = Field(description="No invitation was sent in 365 days.")
    selection: Selection
    warnings: list[str] = Field(
        description="`asked_scored_higher`: those asked had scored higher before than those left out."
    )
