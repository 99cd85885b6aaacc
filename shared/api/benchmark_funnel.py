"""The response funnel against its yardsticks, as the API tells it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.api.reach import FUNNEL_GROUP

GROUP: dict[str, Any] = FUNNEL_GROUP | {
    "recipient_count": 38,
    "level": "above_good",
    "against_review": {
        "open_rate": 0.030526315789473645,
        "response_rate": 0.017368421052631616,
        "comment_rate": 0.014210526315789451,
        "follow_up_request_rate": -0.0036842105263157905,
    },
    "warnings": [],
    "sentence": "45 % of 38 recipients answered: more than good, on the way to the 50 to 60 % that account managers aim"
    " at.",
}
YARDSTICKS: dict[str, Any] = {
    "response_rate": {"ordinary": [0.12, 0.15], "good": [0.20, 0.30], "target": [0.50, 0.60]},
    "business_review": {
        "open_rate": 0.68,
        "response_rate": 0.43,
        "comment_rate": 0.17,
        "follow_up_request_rate": 0.03,
        "recipients": 4.4,
    },
    "sources": {
        "ordinary": "Clientshare",
        "good": "SurveySensum",
        "target": "SurveySensum",
        "business_review": "Clientshare",
    },
}
FUNNEL: dict[str, Any] = {"window": "90d", "yardsticks": YARDSTICKS, "groups": [GROUP]}


class FunnelGroup(BaseModel):
    """How far the invitations of a group came. Rates run from 0 to 1, null where there is nothing to divide by."""

    model_config = ConfigDict(json_schema_extra={"example": GROUP})

    group: dict[str, str | None] = Field(description="What the invitations have in common; `{}` is all of them.")
    sent_count: int | None = Field(description="Invitations sent in the window.")
    delivered_count: int | None = Field(description="Of these, delivered; null where no mailer reported a delivery.")
    opened_count: int | None = Field(description="Of these, opened.")
    started_count: int | None = Field(description="Of these, begun.")
    answered_count: int | None = Field(description="Of these, answered.")
    bounced_count: int | None = Field(description="Of these, bounced.")
    withdrawn_count: int | None = Field(description="Of these, taken back by whoever sent them.")
    recipient_count: int | None = Field(description="Sent and not bounced: what the rates are shares of.")
    delivered_rate: float | None
    open_rate: float | None
    start_rate: float | None
    response_rate: float | None
    completion_rate: float | None = Field(description="Answered over begun.")
    bounce_rate: float | None = Field(description="Bounced over sent.")
    comment_rate: float | None
    follow_up_request_rate: float | None
    level: str | None = Field(description="Where the response rate stands among the yardsticks.")
    against_review: dict[str, float | None] = Field(description="Rate minus that of surveys with a business review.")
    warnings: list[str] = Field(
        description="no_invitations, few_invitations, openings_not_reported, deliveries_not_reported."
    )
    sentence: str


class Yardsticks(BaseModel):
    """Shares of recipients as the field knows them."""

    response_rate: dict[str, tuple[float, float]] = Field(description="From and to, of ordinary, good and target.")
    business_review: dict[str, float] = Field(description="Surveys sent with a business review.")
    sources: dict[str, str]


class Funnel(BaseModel):
    """The response funnel."""

    model_config = ConfigDict(json_schema_extra={"example": FUNNEL})

    window: str
    yardsticks: Yardsticks
    groups: list[FunnelGroup]
