"""What outreach answers about a test mail: a survey's invitation that somebody sent to themselves."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_SENT: dict[str, Any] = {
    "invitation_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6978",
    "survey_id": "srv_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
    "survey_version": 3,
    "email": "lea@supplier.example",
    "sender_email": "lea@supplier.example",
    "language": "de",
    "url": "https://ask.supplier.example/s/AZhbPH0Oe2qfHi08S1ppeAEhbmQgdGhpcyBpcyBhIE1BQw",
    "expires_at": "2026-07-09T08:00:00Z",
    "confirmed": True,
}


class MailTestSent(BaseModel):
    """A test mail that the relay has taken, and the link in it."""

    model_config = ConfigDict(json_schema_extra={"example": _SENT})

    invitation_id: str
    survey_id: str
    survey_version: int
    email: str = Field(description="To whom it went.")
    sender_email: str = Field(description="Whose name it carries.")
    language: str
    url: str
    expires_at: datetime
    confirmed: bool = Field(description="False where the relay may have taken it: its answer did not come.")
