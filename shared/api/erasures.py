"""Erasure of a person or of an account: the collector's part of the receipt."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

RECORDED_AT, LOG_ENDS_AT = "2026-03-31T09:30:00.123456Z", "2026-04-08T10:30:00.123456Z"
ERASURE: dict[str, Any] = {
    "receipt_id": "0199c0de-7b20-7d3e-9a41-5c6b7a8d9e0f",
    "erased_at": RECORDED_AT,
    "applied_at": RECORDED_AT,
    "gone_from_log_at": LOG_ENDS_AT,
    "ids": 2,
    "stakeholders": 1,
    "events": 0,
}
ACCEPTED_ERASURE: dict[str, Any] = {**ERASURE, "id": ERASURE["receipt_id"], "status": "accepted"}


class Erasure(BaseModel):
    """What went from the collector. The scorer and alerting tell of theirs under the same receipt."""

    model_config = ConfigDict(json_schema_extra={"examples": [ERASURE]})

    receipt_id: UUID
    erased_at: datetime = Field(description="What was recorded or answered until then is dropped wherever it turns up.")
    applied_at: datetime = Field(description="When it was done here.")
    gone_from_log_at: datetime = Field(
        description="When the last record about the person that the collector has written leaves Kafka's log, by the"
        " retention of its topics. Each service says so of its own; the latest of them is the end. In `directory`,"
        " which keeps the newest record of each key, a tombstone takes the place of the person's."
    )
    ids: int = Field(
        description="Ids that were erased: all that stand for the person, also at accounts where they were before. An"
        " address that nobody entered into their record is another person's until it is: look for it with the scorer's"
        " `GET /v1/stakeholders?email=`.",
        examples=[2],
    )
    stakeholders: int = Field(description="Records of the directory.", examples=[1])
    events: int = Field(description="Events that waited in, or had just left, the outbox.", examples=[0])


class AcceptedErasure(Erasure):
    """It is on its way to every service; ask each for `/v1/erasures/{receipt_id}`."""

    model_config = ConfigDict(json_schema_extra={"examples": [ACCEPTED_ERASURE]})

    id: UUID = Field(description="The same as `receipt_id`.")
    status: Literal["accepted"] = "accepted"
