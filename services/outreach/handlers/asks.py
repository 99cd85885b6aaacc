"""Withdrawing an ask by hand, and sending its mail once more."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.outreach.domain.asks import UNSENT, AskChange
from services.outreach.handlers.facts import invitation_call
from services.outreach.store import ask_lists, asks
from services.outreach.store.outgoing import queue
from shared.access.caller import Caller
from shared.db.transaction import WriteTx
from shared.errors import Conflict, NotFound

MOST_REMINDERS: Final = 2
SENT_AGAIN: Final = "sent again by hand"


async def resend_ask(tx: WriteTx, ask_id: UUID, caller: Caller, now: datetime) -> None:
    """Remind a person now, or as soon as mails may go to them; all that forbids a mail forbids this one as well. Raises
    `NotFound`, and `Conflict` for an ask that nobody waits for, that was not mailed, whose programme rests, or that was
    reminded of twice."""
    if await asks.find_ask(tx, ask_id, caller.owner_email, for_update=True) is None:
        raise NotFound("ask_not_found", "there is no such ask")
    mailed = await asks.mailed_by(tx, ask_id)
    if mailed is None:
        raise Conflict("not_mailed", "the ask was not mailed by a programme: hand its link over again")
    shown = await ask_lists.shown_ask(tx, ask_id, caller.owner_email, now)
    if shown is None or shown["outcome"] != "open":
        raise Conflict("not_open", "nobody waits for an answer to this ask")
    state, reminders = mailed
    if state != "running":
        raise Conflict("programme_rests", "the programme does not ask now: start it first")
    if reminders >= MOST_REMINDERS:
        raise Conflict("reminded_twice", "the person was reminded twice, and gets no further mail")
    await asks.resend(tx, ask_id, AskChange(now, "sent", None, SENT_AGAIN, caller.actor))


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
