"""A person objects to being asked, or takes the objection back, by the link of the page. The token carries the keyed
hash of the address, so that it works when everything else about the person has been erased."""

from datetime import datetime
from typing import Final, Literal

from services.outreach.domain.tokens import AddressHash, Opened
from services.outreach.handlers.answers import fact
from services.outreach.store import answers, suppressions
from services.outreach.store.outgoing import queue
from shared.db.transaction import ReadTx, WriteTx

PERSON: Final = "person"
"""Who objects, in the list of objections."""
Source = Literal["one_click", "page"]


async def objects(tx: ReadTx, opened: Opened) -> bool:
    """Whether the address objects now."""
    found = (await suppressions.objections(tx, [opened.subject])).get(opened.subject)
    return found is not None and found.objected


async def stop(tx: WriteTx, opened: Opened, source: Source, now: datetime) -> None:
    """Ask nobody at this address again, and tell it of the asks that are open."""
    address = AddressHash(opened.key_id, opened.subject)
    await suppressions.suppress(tx, {opened.subject: address}, source, now, PERSON)
    asks = await answers.lock_asks_of(tx, opened.subject)
    await answers.mark_objected(tx, [ask.ask_id for ask in asks], now)
    for ask in asks:
        if not ask.test:
            await queue(tx, now, fact(ask, "unsubscribed", now))


async def resume(tx: WriteTx, opened: Opened, now: datetime) -> None:
    """The person may be asked again."""
    await suppressions.lift_address(tx, [opened.subject], now, PERSON)
