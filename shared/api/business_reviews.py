"""Business reviews as the API tells them: what was copied for the client, and who has opened it and answered."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

COPY: dict[str, Any] = {
    "account_name": "Acme Logistics",
    "from": "2026-08-20T00:00:00Z",
    "to": "2026-11-25T00:00:00Z",
    "scores": [
        {
            "stakeholder_type": None,
            "nps_then": 0,
            "nps_now": 20,
            "people_then": 9,
            "people_now": 10,
            "promoter_count": 5,
            "passive_count": 2,
            "detractor_count": 3,
        }
    ],
    "became_promoters": 1,
    "became_detractors": 1,
    "said": [{"response_id": "r-1042", "comment": "Two late deliveries and nobody called.", "on": "2026-11-20"}],
    "done": [
        {
            "what_was_done": "Second driver on the night route.",
            "closed_on": "2026-11-24",
            "promised": "No delivery after 7 a.m.",
            "promised_by": "2026-12-01",
        }
    ],
    "open_points": 0,
}
RECIPIENT: dict[str, Any] = {
    "ask_id": "0c9a4a52-3f0a-4a57-8b68-0d9f2f6a7c11",
    "stakeholder_id": "ada@acme.example",
    "name": "Ada Roe",
    "state": "sent",
    "opened_at": "2026-11-25T10:02:00Z",
    "answered_at": None,
    "url": "https://ask.supplier.example/r/DJpKUj8KSleLaA2fL2p8EQM0",
}
LISTED: dict[str, Any] = {
    "review_id": "5f1c2a52-6a0f-4f5e-9b68-0d9f2f6a7c11",
    "account_id": "acme",
    "account_name": "Acme Logistics",
    "survey_id": "srv_0193a5c2b7d47c1f9e1d2a3b4c5d6e7f",
    "survey_version": 1,
    "held_on": "2026-11-25",
    "created_at": "2026-11-24T16:00:00Z",
    "created_by": "key:k3v9x0a1b2c3",
    "closes_at": "2027-01-08T16:00:00Z",
    "withdrawn_at": None,
    "recipient_count": 1,
    "opened_count": 1,
    "answered_count": 0,
}
REVIEW: dict[str, Any] = LISTED | {
    "intro": "Thank you for the talk. Here is what we showed you.",
    "copy": COPY,
    "recipients": [RECIPIENT],
    "warnings": [],
}
DUE: dict[str, Any] = {
    "account_id": "acme",
    "account_name": "Acme Logistics",
    "tier": "key",
    "owner": {"name": "Kim Lee", "email": "kim@supplier.example"},
    "last_held_on": "2026-08-20",
    "due_since": "2026-11-19",
    "reminded_at": "2026-11-19T06:00:00Z",
}
ReviewRecipientState = Literal["sent", "withdrawn"]


class CopiedScore(BaseModel):
    """The NPS of everybody or of one type of people, at the beginning and at the end. A figure of few people is left
    out, since among colleagues it would tell who gave it."""

    stakeholder_type: str | None = Field(description="Null: everybody.")
    nps_then: int | None
    nps_now: int | None
    people_then: int
    people_now: int
    promoter_count: int | None = Field(description="At the end; null where there are few.")
    passive_count: int | None
    detractor_count: int | None


class CopiedComment(BaseModel):
    """What somebody said, without who it was."""

    response_id: str
    comment: str
    on: date


class CopiedDeed(BaseModel):
    """What was done about something that was said."""

    what_was_done: str | None
    closed_on: date | None
    promised: str | None
    promised_by: date | None


class ReviewCopy(BaseModel):
    """What the client sees: a copy of the review pack without names, ids of people and addresses."""

    model_config = ConfigDict(populate_by_name=True)

    account_name: str | None
    from_: datetime = Field(alias="from")
    to: datetime
    scores: list[CopiedScore] = Field(description="Everybody first.")
    became_promoters: int | None = Field(
        description="So many people became promoters in the period; null where few were heard."
    )
    became_detractors: int | None
    said: list[CopiedComment] = Field(description="Those that were chosen, oldest first.")
    done: list[CopiedDeed] = Field(description="Oldest first.")
    open_points: int = Field(description="So many follow-ups were open.")


class ReviewRecipient(BaseModel):
    """Somebody who was given the link."""

    ask_id: str
    stakeholder_id: str
    name: str | None
    state: ReviewRecipientState
    opened_at: datetime | None = Field(
        description="Somebody moved, scrolled or typed on the page; loading says nothing."
    )
    answered_at: datetime | None
    url: str | None = Field(
        description="Their own link: the copy and the question. Null for a key without the scope `act`."
    )


class ListedReview(BaseModel):
    """A business review in a list."""

    model_config = ConfigDict(json_schema_extra={"example": LISTED})

    review_id: str
    account_id: str
    account_name: str | None
    survey_id: str
    survey_version: int
    held_on: date
    created_at: datetime
    created_by: str
    closes_at: datetime = Field(description="Until then the links work.")
    withdrawn_at: datetime | None
    recipient_count: int
    opened_count: int
    answered_count: int


class BusinessReview(ListedReview):
    """A business review with its copy and recipients."""

    model_config = ConfigDict(json_schema_extra={"example": REVIEW})

    intro: str | None
    copy_: ReviewCopy = Field(alias="copy")
    recipients: list[ReviewRecipient]
    warnings: list[str] = Field(description="What the review pack cut short.")


class ReviewPreview(BaseModel):
    """A business review before it is made."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={"example": {"html": "<!doctype html>…", "copy": COPY, "warnings": []}},
    )

    html: str = Field(description="The page as each recipient will see it, for an `<iframe sandbox srcdoc>`.")
    copy_: ReviewCopy = Field(alias="copy")
    warnings: list[str] = Field(description="What the review pack cuts short.")


class ReviewOwner(BaseModel):
    """Who owns the account."""

    name: str | None
    email: str | None


class DueReview(BaseModel):
    """An account without a business review for a quarter."""

    model_config = ConfigDict(json_schema_extra={"example": DUE})

    account_id: str
    account_name: str | None
    tier: str | None
    owner: ReviewOwner | None
    last_held_on: date | None = Field(description="Null where none is known.")
    due_since: date | None = Field(description="Null where none is known: it is due now.")
    reminded_at: datetime | None = Field(description="When a follow-up for its owner was opened in this quarter.")
