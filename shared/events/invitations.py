"""Events of the topic `invitations`: how far each request for an answer came, whoever mailed it."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from shared.events.envelope import EventData, Id, register
from shared.topics import INVITATION_EVENTS

InvitationKind = Literal["sent", "delivered", "opened", "started", "reminded", "bounced", "expired", "unsubscribed"]


class InvitationFact(EventData):
    """One thing that happened to an invitation, at `at`. `reason` says why it expired: `withdrawn` by whoever asked."""

    event_id: UUID
    invitation_id: Id
    account_id: Id
    stakeholder_id: Id
    kind: InvitationKind
    at: AwareDatetime
    recorded_at: AwareDatetime
    survey_id: Id | None = None
    channel: str | None = None
    reason: str | None = None


for _name in INVITATION_EVENTS:
    register(_name, InvitationFact)
