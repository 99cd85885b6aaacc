"""Withdrawing an ask by hand."""

from datetime import datetime
from uuid import UUID

from services.outreach.domain.asks import UNSENT, AskChange
from services.outreach.handlers.links import invitation_call
from services.outreach.store import asks
from services.outreach.store.outgoing import queue
from shared.access.caller import Caller
from shared.db.transaction import WriteTx
from shared.errors import Conflict, NotFound


async def withdraw_ask(tx: WriteTx, ask_id: UUID, note: str | None, caller: Caller, now: datetime) -> None:
    """Withdraw an ask: its link closes, and nobody waits for its answer. Again it changes nothing. Raises `NotFound`,
    and `Conflict` for one that is answered or was never to be sent."""
    ask = await asks.find_ask(tx, ask_id, caller.owner_email, for_update=True)
    if ask is None:
        raise NotFound("ask_not_found", "there is no such ask")
    if ask["withdrawn_at"] is not None:
        return
    if ask["answered_at"] is not None:
        raise Conflict("already_answered", "the person has answered; withdraw the response instead")
    if ask["state"] not in (*UNSENT, "sent"):
        raise Conflict("not_to_be_sent", f"the ask is {ask['state']}: nobody has been asked")
    change = AskChange(now, "withdrawn", "by_hand", note, caller.actor)
    if ask["state"] in UNSENT:
        await asks.withdraw(tx, ask_id, change)
        return
    await asks.withdraw(tx, ask_id, AskChange(now, "sent", "by_hand", note, change.actor))
    person = {"account_id": ask["account_id"], "stakeholder_id": ask["stakeholder_id"]}
    await queue(tx, now, invitation_call(ask_id, person, "expired", now, reason="withdrawn"))
