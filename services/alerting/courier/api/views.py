"""From the domain to what the API gives."""

import json
from collections.abc import Sequence
from typing import Literal

from services.alerting.courier.domain.deliveries import Attempt, Delivery, Endpoint
from services.alerting.courier.store.endpoints import StoredNotice
from services.alerting.outbound.domain.addresses import without_path
from shared.api.webhooks import (
    AttemptItem,
    DeliveryDetail,
    DeliveryItem,
    EndpointDetail,
    EndpointItem,
    EndpointWithSecret,
    NoticeItem,
    SecretItem,
)


def endpoint_item(endpoint: Endpoint) -> EndpointItem:
    """An endpoint as in a list."""
    url, event_types = endpoint.url, None
    breaker: Literal["closed", "open"] = "closed"
    if endpoint.format != "json":
        url = without_path(endpoint.url)
    if endpoint.event_types is not None:
        event_types = list(endpoint.event_types)
    if endpoint.breaker_opened_at is not None:
        breaker = "open"
    return EndpointItem(
        id=endpoint.endpoint_id,
        url=url,
        event_types=event_types,
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
        breaker=breaker,
        next_probe_at=endpoint.breaker_until,
        rest_until=endpoint.rest_until,
        secrets=[SecretItem(created_at=made, expires_at=ends) for made, ends in endpoint.secrets],
        owner_email=endpoint.owner_email,
        version=endpoint.version,
        created_at=endpoint.created_at,
        updated_at=endpoint.updated_at,
    )


def endpoint_with_secret(endpoint: Endpoint, secret: str) -> EndpointWithSecret:
    """An endpoint whose secret was just made."""
    return EndpointWithSecret(**endpoint_item(endpoint).model_dump(), secret=secret)


def endpoint_detail(endpoint: Endpoint, held: int, notices: Sequence[StoredNotice]) -> EndpointDetail:
    """An endpoint as it is shown alone."""
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
    return EndpointDetail(**endpoint_item(endpoint).model_dump(), held_count=held, notices=shown)


def delivery_item(delivery: Delivery) -> DeliveryItem:
    """A delivery as in a list."""
    return DeliveryItem(
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
    )


def delivery_detail(delivery: Delivery, attempts: Sequence[Attempt]) -> DeliveryDetail:
    """A delivery as it is shown alone."""
    payload = None
    if delivery.body is not None:
        payload = json.loads(delivery.body)
    shown = [AttemptItem.model_validate(attempt, from_attributes=True) for attempt in attempts]
    return DeliveryDetail(**delivery_item(delivery).model_dump(), attempts=shown, payload=payload)
