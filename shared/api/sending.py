"""Whether outreach sends mails."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_SENDING: dict[str, Any] = {
    "paused": True,
    "reason": "the database was put back from a copy, moved or copied",
    "paused_at": "2026-12-02T09:00:00Z",
    "paused_by": "tellback",
    "resumed_at": None,
    "resumed_by": None,
    "unconfirmed": 12,
}


class SendingState(BaseModel):
    """Whether mails go, and why not."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SENDING]})

    paused: bool
    reason: str | None
    paused_at: datetime | None
    paused_by: str | None
    resumed_at: datetime | None = Field(description="When they were let go last.")
    resumed_by: str | None
    unconfirmed: int = Field(
        description="Asks that count as sent of which nobody has said so: `GET /v1/asks?unconfirmed=true`."
    )
