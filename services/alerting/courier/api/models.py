"""Request and response models of the calls about webhooks."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    model_validator,
)

from services.alerting.courier.domain.chat import Format
from services.alerting.courier.domain.custom_headers import check_headers
from services.alerting.courier.domain.deliveries import Attempt, Delivery, Endpoint
from services.alerting.courier.domain.messages import MESSAGE_TYPES
from services.alerting.courier.domain.signing import DEFAULT_GRACE, MAX_GRACE, checked_secret
from services.alerting.courier.store.endpoints import StoredNotice
from services.alerting.outbound.domain.addresses import without_path
from shared.http.params import Instant


def _known_types(types: list[str]) -> list[str]:
    if not types or any(name not in MESSAGE_TYPES for name in types):
        raise ValueError(f"must be some of {', '.join(MESSAGE_TYPES)}")
    return list(dict.fromkeys(types))


def _good_secret(secret: SecretStr) -> SecretStr:
    return SecretStr(checked_secret(secret.get_secret_value()))


def _good_headers(headers: dict[str, str]) -> dict[str, str]:
    check_headers(headers)
    return headers


Url = Annotated[
    str,
    Field(
        strict=True,
        description="Where messages go: http or https, at most 2,048 characters, no user, password or fragment.",
        examples=["https://crm.example.com/hooks/tellback"],
    ),
]
EventTypes = Annotated[
    list[str],
    AfterValidator(_known_types),
    Field(max_length=50, description="The types wanted; null for all.", examples=[["follow_up.opened"]]),
]
Description = Annotated[str, Field(strict=True, max_length=500)]
SigningSecret = Annotated[
    SecretStr,
    AfterValidator(_good_secret),
    Field(description="Your own: `whsec_` and the base64 of 24 to 64 bytes. Left out, one is made."),
]
Headers = Annotated[
    dict[str, str],
    AfterValidator(_good_headers),
    Field(description="Added to every request, such as an Authorization; values are never shown again."),
]
InFlight = Annotated[StrictInt, Field(ge=1, le=32, description="Requests at the same time.")]
Ordered = Annotated[
    StrictBool,
    Field(description="Whether messages of one account wait for each other, so that they arrive in order."),
]


WantedFormat = Annotated[
    Format,
    Field(description="json: the message; slack, teams: a chat message for an incoming webhook of theirs."),
]


class Input(BaseModel):
    """Base of the bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NewEndpoint(Input):
    """A new endpoint."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://crm.acme.example/hooks/tellback", "event_types": ["follow_up.opened"]}]
        }
    )

    url: Url
    event_types: EventTypes | None = None
    description: Description | None = None
    secret: SigningSecret | None = None
    headers: Headers | None = None
    format: WantedFormat = "json"
    ordered: Ordered = False
    max_in_flight: InFlight = 4


class EndpointChanges(Input):
    """What is left out stays; null clears event_types (all types then), description and headers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": False}]})

    url: Url = ""
    event_types: EventTypes | None = None
    description: Description | None = None
    headers: Headers | None = None
    format: WantedFormat = "json"
    ordered: Ordered = False
    max_in_flight: InFlight = 4
    enabled: StrictBool | None = Field(
        default=None, description="False holds messages; true lets new ones through, see `recover` for those held."
    )

    def given(self) -> dict[str, Any]:
        """The changes without `enabled`."""
        return {name: getattr(self, name) for name in self.model_fields_set if name != "enabled"}


class Rotation(Input):
    """How to rotate."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grace_s": 86400}]})

    secret: SigningSecret | None = None
    grace_s: StrictInt = Field(
        default=int(DEFAULT_GRACE.total_seconds()),
        ge=0,
        le=int(MAX_GRACE.total_seconds()),
        description="Seconds for which the secret before it goes on signing; 0 ends it at once.",
    )


class Recovery(Input):
    """Which messages to send that never met a 2xx."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"since": "2026-03-31T00:00:00Z", "until": "2026-04-01T00:00:00Z"}]}
    )

    since: Instant = Field(description="At most 14 days ago.")
    until: Instant | None = Field(default=None, description="Default now.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be after since")
        return self


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

    @classmethod
    def of(cls, endpoint: Endpoint, **more: Any) -> Self:
        """The endpoint as it is shown."""
        return cls(
            id=endpoint.endpoint_id,
            url=endpoint.url if endpoint.format == "json" else without_path(endpoint.url),
            event_types=None if endpoint.event_types is None else list(endpoint.event_types),
            description=endpoint.description,
            header_names=list(endpoint.header_names),
            format=endpoint.format,
            ordered=endpoint.ordered,
            max_in_flight=endpoint.max_in_flight,
            status=endpoint.status.value,
            disabled_reason=endpoint.disabled_reason,
            disabled_at=endpoint.disabled_at,
            consecutive_failures=endpoint.consecutive_failures,
            first_failure_at=endpoint.first_failure_at,
            last_failure_at=endpoint.last_failure_at,
            last_success_at=endpoint.last_success_at,
            breaker="closed" if endpoint.breaker_opened_at is None else "open",
            next_probe_at=endpoint.breaker_until,
            rest_until=endpoint.rest_until,
            secrets=[SecretItem(created_at=made, expires_at=ends) for made, ends in endpoint.secrets],
            owner_email=endpoint.owner_email,
            version=endpoint.version,
            created_at=endpoint.created_at,
            updated_at=endpoint.updated_at,
            **more,
        )


class EndpointDetail(EndpointItem):
    """An endpoint with what an operator should know of it."""

    held_count: int = Field(description="Messages held while it is disabled; `recover` sends them.")
    notices: list[NoticeItem]

    @classmethod
    def detailed(cls, endpoint: Endpoint, held: int, notices: list[StoredNotice]) -> Self:
        """The endpoint as it is shown alone."""
        shown = [
            NoticeItem(
                kind=notice.kind,
                subject=notice.subject,
                level=notice.level,
                event_type=notice.event_type,
                webhook_id=notice.message_id,
                created_at=notice.created_at,
            )
            for notice in notices
        ]
        return cls.of(endpoint, held_count=held, notices=shown)


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

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """The attempt as it is shown."""
        return cls.model_validate(attempt, from_attributes=True)


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

    @classmethod
    def of(cls, delivery: Delivery, **more: Any) -> Self:
        """The delivery as it is shown."""
        return cls(
            id=delivery.delivery_id,
            endpoint_id=delivery.endpoint_id,
            webhook_id=delivery.message_id,
            event_type=delivery.event_type,
            account_id=delivery.account_id,
            sequence=delivery.sequence,
            status=delivery.status,
            attempt_count=delivery.attempts,
            next_attempt_at=delivery.next_attempt_at,
            trigger=delivery.trigger,
            actor=delivery.actor,
            job_id=delivery.job_id,
            last_failure=delivery.last_failure,
            created_at=delivery.created_at,
            delivered_at=delivery.delivered_at,
            finished_at=delivery.finished_at,
            **more,
        )


class DeliveryDetail(DeliveryItem):
    """A delivery with its attempts and what was sent."""

    attempts: list[AttemptItem]
    payload: dict[str, Any] | None = Field(description="What is sent; null once it was purged or erased.")

    @classmethod
    def detailed(cls, delivery: Delivery, attempts: list[Attempt]) -> Self:
        """The delivery as it is shown alone."""
        payload = None if delivery.body is None else json.loads(delivery.body)
        return cls.of(delivery, attempts=[AttemptItem.of(attempt) for attempt in attempts], payload=payload)


class RecoveryStarted(BaseModel):
    """A recovery under way; list its deliveries with `job_id=`."""

    job_id: str
    count: int = Field(description="How many messages are sent again.")
