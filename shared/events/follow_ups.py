"""Events of the topic `follow-ups`: the life of a follow-up task, ids and states only."""

from datetime import datetime
from typing import Literal

from shared.events.envelope import EventData, register
from shared.topics import FOLLOW_UP_CLOSED, FOLLOW_UP_ESCALATED, FOLLOW_UP_OPENED, FOLLOW_UP_UPDATED

TaskState = Literal["open", "acknowledged", "in_progress", "snoozed", "closed"]
Severity = Literal["critical", "high", "medium", "low"]
Outcome = Literal["resolved", "dismissed", "answered", "corrected"]


class FollowUpChanged(EventData):
    """What a follow-up looks like after the change."""

    follow_up_id: str
    version: int
    kind: str
    severity: Severity
    state: TaskState
    account_id: str
    stakeholder_id: str | None = None
    response_id: str | None = None
    due_at: datetime | None = None
    occurrences: int = 1
    outcome: Outcome | None = None
    at: datetime


for _name in (FOLLOW_UP_OPENED, FOLLOW_UP_UPDATED, FOLLOW_UP_ESCALATED, FOLLOW_UP_CLOSED):
    register(_name, FollowUpChanged)
