"""Calls of other services that outreach has to make."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

OutgoingState = Literal["waiting", "sent", "stuck"]
_CALL: dict[str, Any] = {
    "entry": 41,
    "key": "5d1f4c7e-8a30-4d0e-9b51-3c0a6f2e7b14:0",
    "service": "collector",
    "method": "POST",
    "path": "/v1/responses",
    "state": "stuck",
    "attempts": 1,
    "due_at": "2026-06-01T09:00:00Z",
    "stuck_reason": "invalid_request, account_id: too_long",
    "account_id": "acme",
    "ask_id": "5d1f4c7e-8a30-4d0e-9b51-3c0a6f2e7b14",
    "created_at": "2026-06-01T09:00:00Z",
    "sent_at": None,
}


class OutgoingCallView(BaseModel):
    """One call of another service: what a person answered, or what happened to a link."""

    model_config = ConfigDict(json_schema_extra={"example": _CALL})

    entry: int = Field(description="The calls of one ask are made in this order.")
    key: str = Field(description="Sent as `Idempotency-Key`: made twice, the call counts once.")
    service: str
    method: str
    path: str
    state: OutgoingState
    attempts: int
    due_at: datetime = Field(description="When it is made, or made again.")
    stuck_reason: str | None = Field(description="The code with which the service refused it, and the fields at fault.")
    account_id: str
    ask_id: str | None
    created_at: datetime
    sent_at: datetime | None
