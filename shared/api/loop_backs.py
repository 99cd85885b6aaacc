"""Loop-backs as outreach tells them: what was changed after answers, told to those who gave them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

LOOP_BACK: dict[str, Any] = {
    "loop_back_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978",
    "account_id": "acme",
    "account_name": "Acme Ltd",
    "theme": None,
    "changed": "You said that deliveries were late.\nA second driver now has the night route.",
    "line": "A second driver now has the night route.",
    "language": "en",
    "sender_email": None,
    "sender_name": None,
    "people": 3,
    "waiting": 0,
    "sent": 2,
    "skipped": 1,
    "failed": 0,
    "reasons": [{"state": "skipped", "reason": "objected", "count": 1}],
    "created_at": "2026-12-02T09:00:00Z",
    "created_by": "key:k3v9x0a1b2c3",
    "withdrawn_at": None,
    "withdrawn_by": None,
}


class LoopBackReason(BaseModel):
    """Why some of the people were not told."""

    state: Literal["skipped", "failed"]
    reason: str
    count: int


class LoopBack(BaseModel):
    """What was changed, and how many were told. people = waiting + sent + skipped + failed."""

    model_config = ConfigDict(json_schema_extra={"examples": [LOOP_BACK]})

    loop_back_id: str
    account_id: str | None = Field(description="At whose people it was asked for; null: those who named the theme.")
    account_name: str | None
    theme: str | None
    changed: str
    line: str = Field(description="What the next invitation to these people says of it: the last line.")
    language: str
    sender_email: str | None
    sender_name: str | None
    people: int = Field(description="Who had answered.")
    waiting: int
    sent: int
    skipped: int
    failed: int
    reasons: list[LoopBackReason]
    created_at: datetime
    created_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None
