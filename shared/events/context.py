"""Events of the topic `context-events`: what happened around the answers; marks on a trend."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.events.envelope import EventData, register
from shared.topics import CONTEXT_RECORDED

ContextKind = Literal[
    "issue_resolved",
    "order_delivered",
    "signed_up",
    "integrated",
    "feature_released",
    "project_completed",
    "contract_renewed",
    "review_held",
    "incident",
    "change",
]


class ContextRecorded(EventData):
    """Something happened at an account, at `at`."""

    event_id: UUID
    account_id: str
    stakeholder_id: str | None = None
    kind: ContextKind
    at: datetime
    label: str | None = None
    recorded_at: datetime


register(CONTEXT_RECORDED, ContextRecorded)
