"""The review pack as the API tells it. What a client may not see is not there, rather than null."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.api.comparisons import ACCOUNT_COMPARISON, AccountComparison

SCORE: dict[str, Any] = {
    "nps": 20.0,
    "nps_rounded": 20,
    "response_count": 10,
    "stakeholder_count": 10,
    "promoter_count": 5,
    "passive_count": 2,
    "detractor_count": 3,
    "mean_score": 7.6,
    "ci_low": -28.1,
    "ci_high": 58.9,
    "last_answered_at": "2026-11-20T08:15:00Z",
}
DEED: dict[str, Any] = {
    "follow_up_id": "5f1c2a52-6a0f-5f5e-9b68-0d9f2f6a7c11",
    "kind": "detractor",
    "stakeholder_id": "ada@acme.example",
    "response_id": "r-1042",
    "opened_at": "2026-11-20T08:15:01Z",
    "closed_at": "2026-11-24T10:00:00Z",
    "outcome": "resolved",
    "what_was_done": "Second driver on the night route.",
    "promise": {"what": "No delivery after 7 a.m.", "by": "2026-12-01T00:00:00Z"},
}
PACK: dict[str, Any] = {
    "account": {
        "account_id": "acme",
        "name": "Acme Logistics",
        "industry": "logistics",
        "industry_name": "Logistics",
        "owner": {"name": "Kim Lee", "email": "kim@supplier.example"},
        "sponsor": None,
    },
    "audience": "client",
    "period": {
        "from": "2026-08-20T00:00:00Z",
        "to": "2026-11-25T00:00:00Z",
        "last_review_at": "2026-08-20T00:00:00Z",
    },
    "window": "365d",
    "scores": [
        {"stakeholder_type": None, "then": SCORE | {"nps": 0.0, "nps_rounded": 0}, "now": SCORE, "change": 20.0}
    ],
    "changes": [
        {
            "kind": "promoter_to_detractor",
            "stakeholder_id": "ada@acme.example",
            "from": "promoter",
            "to": "detractor",
            "from_score": 9,
            "to_score": 6,
            "response_id": "r-1042",
            "changed_at": "2026-11-20T08:15:00Z",
        }
    ],
    "said": [
        {
            "response_id": "r-1042",
            "stakeholder_id": "ada@acme.example",
            "name": "Ada Roe",
            "type": "decision_maker",
            "survey_type": "nps",
            "score": 6,
            "category": "detractor",
            "comment": "Two late deliveries and nobody called.",
            "answered_at": "2026-11-20T08:15:00Z",
            "touchpoint": None,
            "product": "tracking",
            "follow_up_requested": True,
        }
    ],
    "done": [DEED],
    "promised": [DEED],
    "open_points": [],
    "events": [{"kind": "review_held", "at": "2026-08-20T00:00:00Z"}],
    "comparison": ACCOUNT_COMPARISON | {"rank": None, "rank_in_industry": None},
    "warnings": [],
}


class Person(BaseModel):
    """A colleague of ours."""

    name: str | None
    email: str | None


class Revenue(BaseModel):
    """Per year."""

    amount: float
    currency: str | None


class ReviewedAccount(BaseModel):
    """Who the pack is about."""

    account_id: str
    name: str | None
    industry: str | None
    industry_name: str | None
    owner: Person | None
    sponsor: Person | None
    tier: str | None = Field(None, description="Internal only.")
    region: str | None = Field(None, description="Internal only.")
    class_: str | None = Field(None, alias="class", description="Internal only.")
    renewal_on: date | None = Field(None, description="Internal only.")
    annual_revenue: Revenue | None = Field(None, description="Internal only.")


class ReviewPeriod(BaseModel):
    """After `from`, up to `to`."""

    from_: datetime = Field(alias="from", description="As asked, else the last review, else 91 days before `to`.")
    to: datetime
    last_review_at: datetime | None = Field(description="The last context event `review_held` before `to`.")


class ReviewScore(BaseModel):
    """NPS by `latest` of the window that ends then."""

    nps: float | None
    nps_rounded: int | None
    response_count: int
    stakeholder_count: int
    promoter_count: int
    passive_count: int
    detractor_count: int
    mean_score: float | None
    ci_low: float | None
    ci_high: float | None
    last_answered_at: datetime | None


class ScoreLine(BaseModel):
    """The score of one type of people, at the beginning and at the end."""

    stakeholder_type: str | None = Field(description="Null: everybody, also people without a type.")
    then: ReviewScore
    now: ReviewScore
    change: float | None


class ReviewChange(BaseModel):
    """Somebody turned."""

    kind: str
    stakeholder_id: str
    from_: str | None = Field(alias="from")
    to: str
    from_score: int | None
    to_score: int
    response_id: str
    changed_at: datetime


class Said(BaseModel):
    """An answer."""

    response_id: str
    stakeholder_id: str
    name: str | None
    type: str | None
    survey_type: str
    score: int
    category: str | None
    comment: str | None
    answered_at: datetime
    touchpoint: str | None
    product: str | None
    follow_up_requested: bool


class ReviewPromise(BaseModel):
    """What was promised, and by when."""

    what: str
    by: datetime


class Deed(BaseModel):
    """A follow-up: to a client what was done and promised; internally with our own notes."""

    follow_up_id: str
    kind: str
    stakeholder_id: str | None
    response_id: str | None
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    what_was_done: str | None
    promise: ReviewPromise | None
    severity: str | None = Field(None, description="Internal only.")
    state: str | None = Field(None, description="Internal only.")
    owner: Person | None = Field(None, description="Internal only.")
    due_at: datetime | None = Field(None, description="Internal only.")
    reasons: list[str] | None = Field(None, description="Internal only.")
    title: str | None = Field(None, description="Internal only.")
    root_cause: str | None = Field(None, description="Internal only.")
    told_customer: bool | None = Field(None, description="Internal only.")
    result: str | None = Field(None, description="Internal only.")
    acknowledged_at: datetime | None = Field(None, description="Internal only.")
    playbook: str | None = Field(None, description="Internal only.")


class ReviewEvent(BaseModel):
    """A context event of the period."""

    kind: str
    at: datetime
    label: str | None = Field(None, description="Internal only.")


class ReviewPack(BaseModel):
    """What a business review needs."""

    model_config = ConfigDict(json_schema_extra={"example": PACK})

    account: ReviewedAccount
    audience: Literal["internal", "client"]
    period: ReviewPeriod
    window: str
    scores: list[ScoreLine] = Field(description="Everybody first, then each type of people who were heard.")
    changes: list[ReviewChange] = Field(description="Oldest first.")
    said: list[Said] = Field(description="Oldest first.")
    done: list[Deed] = Field(description="Follow-ups closed in the period.")
    promised: list[Deed] = Field(description="Those of `done` and `open_points` in which something was promised.")
    open_points: list[Deed] = Field(description="Follow-ups that are open now.")
    events: list[ReviewEvent] = Field(description="Oldest first.")
    comparison: AccountComparison
    warnings: list[str] = Field(description="What was cut short.")
