"""Webhook endpoints and deliveries, as the API tells them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class SecretItem(BaseModel):
    """A live secret, without itself."""

    created_at: datetime
    expires_at: datetime | None = Field(description="Null for the current one.")


class NoticeItem(BaseModel):
    """Something an operator should hear of, once."""

    kind: str = Field(
        description="exhausted (a delivery, the subject, was given up), gone (the receiver answered 410), "
        "failures_in_a_row (at 100 % the breaker opens), failing (time of nothing but failures; at 100 % the endpoint "
        "is disabled)."
    )
    subject: str = Field(description="The delivery; or since when.")
    level: int | None = Field(description="50, 70, 90 or 100: percent of the limit.")
    event_type: str | None = Field(description="The type of the message whose attempt brought it about.")
    webhook_id: str | None = Field(description="That message's `webhook-id`.")
    created_at: datetime


class EndpointItem(BaseModel):
    """An endpoint."""

    id: str
    url: str = Field(description="Of chat formats only the host: whoever knows the rest may post there.")
    event_types: list[str] | None
    description: str | None
    header_names: list[str]
    format: str
    ordered: bool
    max_in_flight: int
    status: str = Field(description="enabled or disabled.")
    disabled_reason: str | None = Field(description="by_hand, gone (it answered 410) or failing.")
    disabled_at: datetime | None
    consecutive_failures: int
    first_failure_at: datetime | None = Field(description="Since when it has only failed.")
    last_failure_at: datetime | None
    last_success_at: datetime | None
    breaker: Literal["closed", "open"] = Field(
        description="open after too many failures: deliveries wait and spend no attempt, one probe at a time is sent."
    )
    next_probe_at: datetime | None = Field(description="While the breaker is open: when the next probe may go.")
    rest_until: datetime | None = Field(description="Until then the receiver asked to be left alone (Retry-After).")
    secrets: list[SecretItem] = Field(description="The live ones, newest first.")
    owner_email: str | None = Field(description="Set: it gets messages about this owner's accounts only.")
    version: int
    created_at: datetime
    updated_at: datetime


class EndpointDetail(EndpointItem):
    """An endpoint with what an operator should know of it."""

    held_count: int = Field(description="Messages held while it is disabled; `recover` sends them.")
    notices: list[NoticeItem]


class EndpointWithSecret(EndpointItem):
    """An endpoint with its current secret, which is shown this once."""

    secret: str = Field(description="Verifies the signatures; keep it, it is not shown again.")


class AttemptItem(BaseModel):
    """One attempt. `failure` is null where the receiver answered 2xx."""

    number: int
    trigger: str
    actor: str | None
    started_at: datetime
    duration_ms: int
    status_code: int | None
    failure: str | None
    response_text: str = Field(description="The first 16 KiB of the answer.")
    response_truncated: bool


class DeliveryItem(BaseModel):
    """One message to one endpoint."""

    id: str
    endpoint_id: str
    webhook_id: str = Field(description="The `webhook-id` header: the same on every attempt and to every endpoint.")
    event_type: str
    account_id: str | None
    sequence: int | None
    status: str = Field(description="pending, sending, delivered, exhausted, blocked, held or cancelled.")
    attempt_count: int
    next_attempt_at: datetime | None
    trigger: str
    actor: str | None
    job_id: str | None
    last_failure: str | None
    created_at: datetime
    delivered_at: datetime | None
    finished_at: datetime | None


class DeliveryDetail(DeliveryItem):
    """A delivery with its attempts and what was sent."""

    attempts: list[AttemptItem]
    payload: dict[str, Any] | None = Field(description="What is sent; null once it was purged or erased.")


class RecoveryStarted(BaseModel):
    """A recovery under way; list its deliveries with `job_id=`."""

    job_id: str
    count: int = Field(description="How many messages are sent again.")
