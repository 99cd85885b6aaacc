"""Facts about invitations and context events."""

from datetime import UTC, datetime

from services.collector.handlers.directory import Change, change_record
from services.collector.handlers.inputs.facts import ContextInput, InvitationInput
from services.collector.handlers.responses import SOURCE, not_ahead, who
from shared.db.transaction import WriteTx
from shared.errors import NotFound
from shared.events.context import ContextRecorded
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.ids import derived_uuid
from shared.topics import CONTEXT_RECORDED


def invitation_fact(body: InvitationInput, now: datetime) -> Event:
    """The event of an invitation fact; without `event_id` the id is derived from the fact, so that a repeat has the
    same id."""
    not_ahead("at", body.at, now)
    person = who(body.stakeholder_id, body.email)
    event_id = body.event_id or derived_uuid(
        "invitation", body.account_id, body.invitation_id, person, body.kind, body.at.isoformat()
    )
    data = InvitationFact(
        event_id=event_id,
        invitation_id=body.invitation_id,
        account_id=body.account_id,
        stakeholder_id=person,
        kind=body.kind,
        at=body.at,
        recorded_at=now,
        survey_id=body.survey_id,
        channel=body.channel,
        reason=body.reason,
    )
    return Event(event_id, f"invitation.{body.kind}", SOURCE, now, body.account_id, data)


async def note_lost_contract(tx: WriteTx, body: ContextInput, now: datetime, owner_email: str | None) -> None:
    """Close the account in the directory after a lost contract: from that day on it is no client. An account that the
    directory does not list is left alone."""
    try:
        change = Change(body.account_id, None, {"closed_on": body.at.astimezone(UTC).date().isoformat()}, existing=True)
        await change_record(tx, change, now, owner_email)
    except NotFound:
        return


def context_fact(body: ContextInput, now: datetime) -> Event:
    """The event of a context fact; without `event_id` the id is derived from the fact, so that a repeat has the same
    id."""
    not_ahead("at", body.at, now)
    person = None
    if body.stakeholder_id or body.email:
        person = who(body.stakeholder_id, body.email)
    facts = (body.account_id, person or "", body.kind, body.at.isoformat(), body.label, body.product or "")
    event_id = body.event_id or derived_uuid("context", *facts)
    data = ContextRecorded(
        event_id=event_id,
        account_id=body.account_id,
        stakeholder_id=person,
        kind=body.kind,
        at=body.at,
        label=body.label,
        recorded_at=now,
        product=body.product,
    )
    return Event(event_id, CONTEXT_RECORDED, SOURCE, now, body.account_id, data)
