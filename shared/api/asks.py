"""Asks as the API tells them: who was asked by which link, what became of it, and who objects to being asked."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AskState = Literal["waiting", "held", "skipped", "sent", "failed", "withdrawn"]
AskOutcome = Literal["answered", "bounced", "withdrawn", "expired", "open"]
AskOrigin = Literal["link", "review", "test", "programme"]
AskReason = Literal[
    "quarantine",
    "floor",
    "cap",
    "outside_hours",
    "holiday",
    "reading_behind",
    "relay_away",
    "paused",
    "no_address",
    "shared_address",
    "needs_smtputf8",
    "objected",
    "bounced",
    "no_permission",
    "too_new",
    "already_answered",
    "excluded",
    "too_late",
    "no_person",
    "not_in_directory",
    "do_not_ask",
    "recipient_refused",
    "message_refused",
    "by_hand",
    "removed",
    "merged",
    "programme_ended",
]
ASK_ID = "5d1f4c7e-8a30-4d0e-9b51-3c0a6f2e7b14"
_PERSON = {"account_id": "acme", "stakeholder_id": "ada@acme.example"}
_LINK: dict[str, Any] = {
    "invitation_id": ASK_ID,
    "url": "https://ask.supplier.example/s/XR9MfoowTQ6bUTwKby57FAGh3zrH4m1xq0o8yIv3hWJ2",
    "expires_at": "2026-07-01T09:00:00Z",
}
_ASK: dict[str, Any] = _PERSON | {
    "ask_id": ASK_ID,
    "survey_id": "srv_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
    "survey_name": "Relationship",
    "survey_version": 1,
    "account_name": "Acme Ltd",
    "name": "Ada Lin",
    "origin": "link",
    "review_id": None,
    "programme_id": None,
    "programme_name": None,
    "state": "sent",
    "reason": None,
    "note": None,
    "held_until": None,
    "outcome": "open",
    "channel": "link",
    "language": "en",
    "handed_over": True,
    "created_at": "2026-06-01T09:00:00Z",
    "created_by": "key:k3v9x0a1b2c3",
    "due_at": "2026-06-01T09:00:00Z",
    "sent_at": "2026-06-01T09:00:00Z",
    "closes_at": "2026-07-01T09:00:00Z",
    "opened_at": None,
    "started_at": None,
    "answered_at": None,
    "finished_at": None,
    "reminded_at": None,
    "bounced_at": None,
    "unsubscribed_at": None,
    "expired_at": None,
    "withdrawn_at": None,
}
_GROUP: dict[str, Any] = {
    "key": "acme",
    "name": "Acme Ltd",
    "planned": 3,
    "waiting": 0,
    "held": 0,
    "skipped": 1,
    "sent": 2,
    "failed": 0,
    "withdrawn": 0,
    "outcomes": {"answered": 1, "bounced": 0, "withdrawn": 0, "expired": 0, "open": 1},
    "flags": {"started": 1, "finished": 1, "reminded": 0, "unsubscribed": 0},
    "sent_rate": 66.7,
    "reasons": [{"state": "skipped", "reason": "objected", "count": 1}],
}
_CHANGE = {"at": "2026-06-01T09:00:00Z", "state": "sent", "reason": None, "note": None, "actor": "key:k3v9x0a1b2c3"}


class Ask(BaseModel):
    """One question to one person. `ask_id` is the `invitation_id` of its facts and its answer."""

    model_config = ConfigDict(json_schema_extra={"example": _ASK})

    ask_id: str
    survey_id: str
    survey_name: str
    survey_version: int = Field(description="The wording by which the person is asked, also after a later one.")
    account_id: str
    stakeholder_id: str = Field(description="Empty where what happened names no person (`no_person`).")
    account_name: str | None
    name: str | None = Field(description="Of the person.")
    origin: AskOrigin
    review_id: str | None
    programme_id: str | None
    programme_name: str | None
    state: AskState
    reason: AskReason | None = Field(description="Why it is held, skipped, failed or withdrawn.")
    note: str | None = Field(description="The reason in words.")
    held_until: datetime | None
    outcome: AskOutcome | None = Field(description="Of one that was sent; null otherwise.")
    channel: str
    language: str | None
    handed_over: bool = Field(description="False: a mailer hands the link over, and says so by `invitation.sent`.")
    created_at: datetime
    created_by: str
    due_at: datetime
    sent_at: datetime | None
    closes_at: datetime | None = Field(description="Until then the link takes an answer.")
    opened_at: datetime | None
    started_at: datetime | None
    answered_at: datetime | None
    finished_at: datetime | None
    reminded_at: datetime | None = Field(description="The latest reminder.")
    bounced_at: datetime | None
    unsubscribed_at: datetime | None
    expired_at: datetime | None
    withdrawn_at: datetime | None


class AskChange(BaseModel):
    """One change of an ask: the state that it came to, why, and who did it."""

    at: datetime
    state: AskState
    reason: AskReason | None
    note: str | None
    actor: str


class AskDetail(Ask):
    """An ask with its history, the oldest first."""

    model_config = ConfigDict(json_schema_extra={"example": _ASK | {"changes": [_CHANGE]}})

    changes: list[AskChange]


class AskLink(BaseModel):
    """The personal link of an ask."""

    model_config = ConfigDict(json_schema_extra={"example": _LINK})

    invitation_id: str
    url: str
    expires_at: datetime | None = Field(description="Null while nobody has handed it over.")


class LinkProblem(BaseModel):
    """Why somebody gets no link."""

    reason: AskReason
    detail: str
    again_at: datetime | None = Field(description="From when on the person may be asked; null: time changes nothing.")


class LinkRow(BaseModel):
    """What became of one person: a link, or a problem."""

    account_id: str
    stakeholder_id: str
    name: str | None
    email: str | None
    language: str | None
    invitation_id: str | None = Field(description="Null for somebody who is not kept, since nobody knows them.")
    url: str | None
    expires_at: datetime | None
    problem: LinkProblem | None


class LinksMade(BaseModel):
    """A row for each person who was named, in their order; those of a filter by account and person."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "survey_id": _ASK["survey_id"],
                "survey_version": 1,
                "made": 1,
                "refused": 0,
                "items": [
                    _PERSON
                    | _LINK
                    | {"name": "Ada Lin", "email": "ada@acme.example", "language": "en", "problem": None}
                ],
            }
        }
    )

    survey_id: str
    survey_version: int
    made: int
    refused: int
    items: list[LinkRow]


class ReasonCount(BaseModel):
    """How many asks are in a state for this reason."""

    state: AskState
    reason: AskReason
    count: int


class AskOutcomes(BaseModel):
    """What became of the asks that were sent; the sum is `sent`."""

    answered: int
    bounced: int
    withdrawn: int
    expired: int
    open: int


class AskFlags(BaseModel):
    """How many of the asks that were sent came so far, whatever their outcome."""

    started: int
    finished: int
    reminded: int
    unsubscribed: int


class AskGroup(BaseModel):
    """The asks of a group: planned = waiting + held + skipped + sent + failed + withdrawn."""

    key: str | None = Field(description="The survey, account, owner, tier or programme; null: without one, or all.")
    name: str | None = Field(description="What the survey, account or programme is called.")
    planned: int
    waiting: int
    held: int
    skipped: int
    sent: int
    failed: int
    withdrawn: int = Field(description="Before they were sent; those withdrawn later are an outcome.")
    outcomes: AskOutcomes
    flags: AskFlags
    sent_rate: float | None = Field(description="sent of planned, per cent; null where nothing was planned.")
    reasons: list[ReasonCount]


class AskSummary(BaseModel):
    """Asks whose first due time lies in the window, by group; tests count nowhere."""

    model_config = ConfigDict(json_schema_extra={"example": {"groups": [_GROUP], "kept_since": "2023-12-02T00:00:00Z"}})

    groups: list[AskGroup]
    kept_since: datetime | None = Field(
        default=None, description="Asks that fell due before this moment are not kept: windows before it lack them."
    )


class Suppression(BaseModel):
    """An address that must not be asked: the address itself is not kept, only a keyed hash."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "suppression_id": "0b9f6b0e-5c0f-4c1e-8a6d-0a8f6f3d2c11",
                "source": "import",
                "created_at": "2026-06-01T09:00:00Z",
                "created_by": "key:k3v9x0a1b2c3",
            }
        }
    )

    suppression_id: str
    source: str = Field(description="`page`, `invitation`, `import` or another place from which it came.")
    created_at: datetime
    created_by: str


class RefusedAddress(BaseModel):
    """A line that holds no address."""

    line: int
    detail: str


class SuppressionsAdded(BaseModel):
    """What became of a list of addresses."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"added": 2, "known": 1, "refused": [{"line": 4, "detail": "must be an e-mail address"}]}
        }
    )

    added: int
    known: int = Field(description="Addresses that were on the list.")
    refused: list[RefusedAddress]
