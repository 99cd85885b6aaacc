"""Models of the collector's answers."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.collector.api import examples
from services.collector.handlers.directory import Changed
from services.collector.handlers.publishing import Via
from shared.api.directory import AccountView, DirectoryWarning, StakeholderView
from shared.http.problem import Problem

Status = Literal["accepted", "rejected", "unavailable"]


class Accepted(BaseModel):
    """It is durable: in Kafka, or in the outbox while Kafka is away."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACCEPTED]})

    event_id: UUID
    recorded_at: datetime
    status: Literal["accepted"] = "accepted"
    via: Via


class AcceptedResponse(Accepted):
    """A response, an amendment or a withdrawal was taken."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACCEPTED_RESPONSE]})

    response_id: str = Field(examples=["0199c0de-6f7a-7c1e-9d53-8f2f3c0b1a2d"])
    amend_token: str | None = Field(
        default=None, description="To a publishable key: lets it amend comment and answers, for 24 hours."
    )


class ItemResult(BaseModel):
    """What became of one item of a batch; `problem` says why it was not taken."""

    index: int = Field(description="Position in the array, or of the line, from 0")
    status: Status
    problem: Problem | None = None


class ResponseResult(ItemResult):
    """One response of a batch."""

    response_id: str | None = Field(description="Of a refused one: as it was sent, if that is an id")


class EventResult(ItemResult):
    """One fact of a batch."""

    event_id: UUID | None


class RecordResult(ItemResult):
    """One record of a directory batch; `index` counts within its kind's array."""

    kind: Literal["account", "stakeholder"] | None
    account_id: str | None
    stakeholder_id: str | None = None
    warnings: tuple[DirectoryWarning, ...] = ()


class BatchAnswer(BaseModel):
    """How many items were taken, refused for what they say, and not taken for want of Kafka and PostgreSQL."""

    accepted: int
    rejected: int
    unavailable: int


class ResponseBatchAnswer(BatchAnswer):
    """The answer to a batch of responses."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.RESPONSE_BATCH]})

    results: list[ResponseResult]


class EventBatchAnswer(BatchAnswer):
    """The answer to a batch of facts."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.EVENT_BATCH]})

    results: list[EventResult]


class RecordBatchAnswer(BatchAnswer):
    """The answer to a batch of accounts and people."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.RECORD_BATCH]})

    results: list[RecordResult]


def account_view(changed: Changed) -> AccountView:
    """An account as the API shows it."""
    return AccountView.model_validate(_members(changed))


def stakeholder_view(changed: Changed) -> StakeholderView:
    """A person as the API shows it."""
    return StakeholderView.model_validate(_members(changed) | {"warnings": changed.warnings})


def _members(changed: Changed) -> dict[str, Any]:
    return changed.record.model_dump() | {"recorded_at": changed.recorded_at}
