"""Webhook messages: each is stored once and delivered to every subscribed endpoint."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

FOLLOW_UP_OPENED = "follow_up.opened"
FOLLOW_UP_UPDATED = "follow_up.updated"
FOLLOW_UP_ESCALATED = "follow_up.escalated"
FOLLOW_UP_CLOSED = "follow_up.closed"
CATEGORY_CHANGED = "stakeholder.category_changed"
ACCOUNT_SCORE_CHANGED = "account_score.changed"
ACCOUNT_SCORE_DROPPED = "account_score.dropped"
SURVEY_RESPONSE_CREATED = "survey_response.created"
SURVEY_RESPONSE_UPDATED = "survey_response.updated"

MESSAGE_TYPES = (
    FOLLOW_UP_OPENED,
    FOLLOW_UP_UPDATED,
    FOLLOW_UP_ESCALATED,
    FOLLOW_UP_CLOSED,
    CATEGORY_CHANGED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_SCORE_DROPPED,
    SURVEY_RESPONSE_CREATED,
    SURVEY_RESPONSE_UPDATED,
)
"""Every type that an endpoint may subscribe to."""


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """One message. `event_id` is derived from what caused it, so a replay yields the same `webhook-id`.

    `sequence` counts the messages of one account without gaps, in commit order. `data` holds JSON values only
    (str, int, float, bool, None, dict, list). `stakeholder_id` names the person it speaks of, so that erasure
    finds it. `owner_email` is the account's owner: an endpoint or key that is limited to an owner gets that owner's.
    """

    event_id: UUID
    type: str
    account_id: str
    timestamp: datetime
    sequence: int | None
    data: dict[str, Any]
    stakeholder_id: str | None = None
    owner_email: str | None = None
