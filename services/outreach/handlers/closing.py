"""Links end: 30 days after they were handed over, or when they are withdrawn."""

from datetime import datetime

from services.outreach.handlers.answers import fact
from services.outreach.store import answers
from services.outreach.store.answers import OpenAsk
from services.outreach.store.outgoing import OutgoingCall, queue
from shared.db.transaction import WriteTx

AT_ONCE = 500


async def close_ended(tx: WriteTx, now: datetime) -> int:
    """Mark what has ended, and tell it of those that were not answered; returns how many there were. The end of an
    answered one tells nothing new."""
    asks = await answers.lock_ended(tx, now, AT_ONCE)
    calls: list[OutgoingCall] = []
    for ask in asks:
        if ask.answered_at is None and not ask.test:
            calls.append(_expired(ask, now))
    await queue(tx, now, *calls)
    await answers.mark_ended(tx, [ask.ask_id for ask in asks], now)
    return len(asks)


def _expired(ask: OpenAsk, now: datetime) -> OutgoingCall:
    if ask.withdrawn_at is not None:
        return fact(ask, "expired", ask.withdrawn_at, reason="withdrawn")
    return fact(ask, "expired", ask.closes_at or now, reason="closed")
