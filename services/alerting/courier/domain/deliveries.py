"""Webhooks as values: an endpoint, a delivery to it, an attempt, and the work a sender takes up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.alerting.courier.domain.endpoint_health import HealthPolicy
from services.alerting.courier.domain.retry import RetryPolicy
from services.alerting.outbound.domain.outcomes import Outcome

TEST_TYPE = "webhook.test"
"""The type of the message that a test sends; nobody subscribes to it."""
MAX_RECOVERED = 10_000


class Trigger(StrEnum):
    """What caused an attempt."""

    AUTOMATIC = "automatic"
    TEST = "test"
    RESEND = "resend"
    RECOVER = "recover"


class EndpointStatus(StrEnum):
    """Whether an endpoint takes part."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"


class DisabledReason(StrEnum):
    """Why an endpoint is disabled."""

    BY_HAND = "by_hand"
    GONE = "gone"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What the owner of an endpoint decides. `event_types` None: all types, also later ones."""

    url: str
    event_types: tuple[str, ...] | None = None
    description: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    format: str = "json"
    ordered: bool = False
    max_in_flight: int = 4


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it may be shown: no secret, and of custom headers only the names.

    `secrets` are (created_at, expires_at) of the live ones, newest first.
    """

    endpoint_id: str
    url: str
    event_types: tuple[str, ...] | None
    description: str | None
    header_names: tuple[str, ...]
    format: str
    ordered: bool
    max_in_flight: int
    owner_email: str | None
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    consecutive_failures: int
    first_failure_at: datetime | None
    last_failure_at: datetime | None
    last_success_at: datetime | None
    breaker_opened_at: datetime | None
    breaker_until: datetime | None
    rest_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    secrets: tuple[tuple[datetime, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class DisabledEndpoint:
    """An endpoint that is disabled, and how many messages are held for it."""

    endpoint_id: str
    host: str
    description: str | None
    reason: DisabledReason
    disabled_at: datetime
    held_count: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as the log keeps it; `failure` is None where the receiver answered 2xx.

    `trigger` and `failure` are shown as they were stored: another release may know more of them.
    """

    number: int
    trigger: str
    actor: str | None
    started_at: datetime
    duration_ms: int
    status_code: int | None
    failure: str | None
    response_text: str
    response_truncated: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one endpoint. `trigger` and `actor` are those of the next attempt, or of the last one.

    `status` and `trigger` are shown as they were stored: another release may know more of them. `body`, what is sent,
    and `endpoint_status` are read with a single delivery; `body` is None once purged.
    """

    delivery_id: str
    endpoint_id: str
    message_id: str
    event_type: str
    account_id: str | None
    sequence: int | None
    status: str
    attempts: int
    next_attempt_at: datetime | None
    trigger: str
    actor: str | None
    job_id: str | None
    last_failure: str | None
    created_at: datetime
    delivered_at: datetime | None
    finished_at: datetime | None
    body: bytes | None = field(default=None, repr=False)
    endpoint_status: EndpointStatus = EndpointStatus.ENABLED


@dataclass(frozen=True, slots=True)
class DueAttempt:
    """One attempt to be made: everything a sender needs, so that it holds no database session meanwhile."""

    delivery_id: str
    endpoint_id: str
    url: str
    format: str
    max_in_flight: int
    number: int
    trigger: Trigger
    actor: str | None
    message_id: str
    event_type: str
    body: bytes = field(repr=False)
    sealed_headers: bytes | None = field(repr=False)
    sealed_secrets: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndedAttempt:
    """An attempt that has ended."""

    work: DueAttempt
    started_at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class SendingRules:
    """The numbers a sender keeps to. Times in seconds.

    `lease` is how long others leave a taken delivery alone; it must outlast an attempt.
    """

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    health: HealthPolicy = field(default_factory=HealthPolicy)
    lease: float = 40.0
    in_flight: int = 200
    poll: float = 1.0
    stop_grace: float = 3.0
    body_days: int = 30
    held_days: int = 14
    log_days: int = 90
