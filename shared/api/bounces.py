"""Mails that came back, and complaints, as the API tells them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.api.asks import ASK_ID

BounceKind = Literal["hard", "soft", "complaint", "auto_reply", "other"]
BounceEffect = Literal["bounced", "counted", "held", "objected", "too_old", "none", "unmatched"]
_BOUNCE: dict[str, Any] = {
    "bounce_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978",
    "source": "mail",
    "kind": "hard",
    "effect": "bounced",
    "status": "5.1.1",
    "recipient_domain": None,
    "ask_id": ASK_ID,
    "account_id": "acme",
    "stakeholder_id": "ada@acme.example",
    "account_name": "Acme Ltd",
    "name": "Ada Lin",
    "email": "ada.lin@acme.example",
    "corrected_at": "2026-06-02T08:00:00Z",
    "programme_id": "prg_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
    "at": "2026-06-01T09:01:00Z",
    "received_at": "2026-06-01T09:02:00Z",
}


class Bounce(BaseModel):
    """What somebody said of a mail, and what that led to."""

    model_config = ConfigDict(json_schema_extra={"example": _BOUNCE})

    bounce_id: str
    source: str = Field(description="`mail`, `api`, or the provider that told of it.")
    kind: BounceKind = Field(
        description="`hard`: the address takes no mail; `soft`: not now; `complaint`: the person called it spam."
    )
    effect: BounceEffect = Field(
        description="`bounced`: nobody writes to the person until the address is corrected or they answer; `counted`:"
        " one that came back for a while; `held`: the second of another programme, the person rests for 30 days;"
        " `objected`; `too_old`: the mail had gone more than 10 days before; `unmatched`: no mail of ours is named."
    )
    status: str | None = Field(description="The code of RFC 3463.")
    recipient_domain: str | None = Field(description="Where no mail of ours is named: of the address it went to.")
    ask_id: str | None
    account_id: str | None
    stakeholder_id: str | None
    account_name: str | None
    name: str | None = Field(description="Of the person.")
    email: str | None = Field(description="The person's address now.")
    corrected_at: datetime | None = Field(description="When the address was changed, if that was after the mail left.")
    programme_id: str | None
    at: datetime = Field(description="When it happened, if that was said; else when it was heard.")
    received_at: datetime
