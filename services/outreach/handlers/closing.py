"""Links end: 30 days after they were handed over, or when they are withdrawn. Asks that wait end when nobody hands
their link over, or when their account is no client any more."""

from datetime import datetime

from services.outreach.handlers.answers import fact
from services.outreach.store import answers, asks
from services.outreach.store.answers import OpenAsk
from services.outreach.store.outgoing import OutgoingCall, queue
from shared.db.transaction import WriteTx

AT_ONCE = 500


async def close_ended(tx: WriteTx, now: datetime) -> int:
    """Mark what has ended, and tell it of those that were not answered; returns how many there were. The end of an
    answered one tells nothing new."""
    ended = await answers.lock_ended(tx, now, AT_ONCE)
    calls: list[OutgoingCall] = []
    for ask in ended:
        if ask.answered_at is None and not ask.test:
            calls.append(_expired(ask, now))
    await queue(tx, now, *calls)
    await answers.mark_ended(tx, [ask.ask_id for ask in ended], now)
    return len(ended)


async def skip_late(tx: WriteTx, now: datetime) -> int:
    """Links that no mailer has handed over in their time never go; returns how many there were."""
    return await asks.skip_late_links(tx, now)


async def call_off_closed(tx: WriteTx, now: datetime) -> int:
    """Withdraw what waits for accounts whose day of closing has come; returns how many these were. One that was closed
    when its record came was called off then."""
    accounts = await asks.closed_accounts(tx, now.date())
    await asks.call_off_accounts(tx, "removed", accounts, now)
    return len(accounts)


def _expired(ask: OpenAsk, now: datetime) -> OutgoingCall:
    if ask.withdrawn_at is not None:
        return fact(ask, "expired", ask.withdrawn_at, reason="withdrawn")
    return fact(ask, "expired", ask.closes_at or now, reason="closed")
