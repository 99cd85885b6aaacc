"""Events of the topic `invitations`: how far each request for an answer came, whoever mailed it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.events.envelope import EventData, register
from shared.topics import INVITATION_EVENTS

InvitationKind = Literal["sent", "delivered", "opened", "started", "reminded", "bounced", "expired", "unsubscribed"]


class InvitationFact(EventData):
    """One thing that happened to an invitation, at `at`."""

    event_id: UUID
    invitation_id: str
    account_id: str
    stakeholder_id: str
    kind: InvitationKind
    at: datetime
    recorded_at: datetime
    survey_id: str | None = None
    channel: str | None = None


for _name in INVITATION_EVENTS:
    register(_name, InvitationFact)
