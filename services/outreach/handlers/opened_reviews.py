"""Somebody opens the page of a business review."""

from datetime import datetime
from uuid import UUID

from services.outreach.handlers.facts import invitation_call
from services.outreach.store import reviews
from services.outreach.store.outgoing import queue
from shared.db.transaction import WriteTx


async def note_opened(tx: WriteTx, ask_id: UUID, now: datetime) -> bool:
    """Note and tell that the page was opened; False where that was noted before, or where the page has ended."""
    row = await reviews.note_opening(tx, ask_id, now)
    if row is None:
        return False
    person = {"account_id": row["account_id"], "stakeholder_id": row["stakeholder_id"]}
    further = {"survey_id": row["survey_id"], "channel": row["channel"]}
    await queue(tx, now, invitation_call(ask_id, person, "opened", now, **further))
    return True
