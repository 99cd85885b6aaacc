"""Events of the topic `follow-ups`: the life of a follow-up task, ids and states only."""

from datetime import datetime
from typing import Literal

from shared.events.envelope import EventData, register
from shared.topics import FOLLOW_UP_CLOSED, FOLLOW_UP_ESCALATED, FOLLOW_UP_OPENED, FOLLOW_UP_UPDATED

TaskState = Literal["open", "acknowledged", "in_progress", "snoozed", "closed"]
Severity = Literal["critical", "high", "medium", "low"]
Outcome = Literal["resolved", "dismissed", "answered", "improved", "corrected", "over", "gone", "superseded", "merged"]


class FollowUpChanged(EventData):
    """What a follow-up looks like after the change. `reason_holds` is false where what it says is so no longer;
    `closed_by` says whether a person or the facts closed it.
    """

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
    reason_holds: bool = True
    outcome: Outcome | None = None
    closed_by: Literal["person", "facts"] | None = None
    at: datetime


for _name in (FOLLOW_UP_OPENED, FOLLOW_UP_UPDATED, FOLLOW_UP_ESCALATED, FOLLOW_UP_CLOSED):
    register(_name, FollowUpChanged)
