"""A person objects to being asked, or takes the objection back, by the link of the page. The token carries the keyed
hash of the address, so that it works when everything else about the person has been erased."""

from datetime import datetime

from services.outreach.domain.tokens import Opened
from services.outreach.handlers.answers import fact
from services.outreach.store import answers, objections
from services.outreach.store.objections import Source
from services.outreach.store.outgoing import queue
from shared.db.transaction import WriteTx


async def stop(tx: WriteTx, opened: Opened, source: Source, now: datetime) -> None:
    """Ask nobody at this address again, and tell it of the asks that are open."""
    await objections.object_to_all(tx, opened, source, now)
    asks = await answers.lock_asks_of(tx, opened.subject)
    await answers.mark_objected(tx, [ask.ask_id for ask in asks], now)
    for ask in asks:
        if not ask.test:
            await queue(tx, now, fact(ask, "unsubscribed", now))


async def resume(tx: WriteTx, opened: Opened, now: datetime) -> None:
    """The person may be asked again."""
    await objections.lift(tx, opened.subject, now)
