"""What the collector is told of asks: facts of invitations, each kind once an ask, and a bounce once more where the ask
went to a corrected address."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.outreach.store.outgoing import OutgoingCall
from shared.clock import rfc3339


def invitation_call(ask_id: UUID, person: Mapping[str, str], kind: str, at: datetime, **further: str) -> OutgoingCall:
    """The call that tells the collector what happened to an ask; it is told once for each kind. `person`: account_id
    and stakeholder_id."""
    body = {"invitation_id": str(ask_id), **person, "kind": kind, "at": rfc3339(at), **further}
    return OutgoingCall(
        key=f"fact:{ask_id}:{kind}",
        service="collector",
        method="POST",
        path="/v1/invitation-events",
        body=body,
        account_id=person["account_id"],
        stakeholder_id=person["stakeholder_id"],
        ask_id=ask_id,
        due_at=at,
    )


def bounce_call(ask_id: UUID, person: Mapping[str, str], at: datetime, *, again: bool) -> OutgoingCall:
    """The call that tells the collector that an ask came back: once, and once more, `again`, from a corrected
    address."""
    call = invitation_call(ask_id, person, "bounced", at)
    if again:
        return replace(call, key=f"{call.key}:again")
    return call
