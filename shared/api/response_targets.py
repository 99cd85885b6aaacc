"""Targets of response rates as outreach tells them: what share of those asked at an owner's accounts is to answer."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

TARGET: dict[str, Any] = {
    "owner": "lea@supplier.example",
    "target": 0.55,
    "set_at": "2026-06-01T09:00:00Z",
    "set_by": "key:01985b3c",
}


class ResponseTarget(BaseModel):
    """The target of an owner."""

    model_config = ConfigDict(json_schema_extra={"examples": [TARGET]})

    owner: str = Field(description="The address of the accounts' owner.")
    target: float = Field(description="Answered over sent and not bounced, from 0 to 1.")
    set_at: datetime
    set_by: str


class ResponseTargets(BaseModel):
    """The targets, by owner."""

    items: list[ResponseTarget]
