"""A person objects to being asked, or only to the mails of one programme, or takes that back, by the link of the page.
The token carries the keyed hash of the address, so that it works when everything else about the person has been
erased."""

from datetime import datetime
from typing import Final, Literal

from services.outreach.domain.tokens import AddressHash, Opened, Tokens
from services.outreach.handlers.answers import fact
from services.outreach.handlers.suppressions import hashes_of
from services.outreach.store import answers, programme_objections, suppressions
from services.outreach.store.outgoing import queue
from services.outreach.store.programme_objections import Mailed
from shared.db.transaction import ReadTx, WriteTx

PERSON: Final = "person"
"""Who objects, in the list of objections."""
SHOWN: Final = 3
"""Programmes that the page names, the last ones."""
Source = Literal["one_click", "page", "complaint"]


async def objects(tx: ReadTx, tokens: Tokens, opened: Opened) -> bool:
    """Whether the address objects now."""
    found = await suppressions.objections(tx, await _hashes(tx, tokens, opened))
    return any(objection.objected for objection in found.values())


async def stop(tx: WriteTx, tokens: Tokens, opened: Opened, source: Source, now: datetime) -> None:
    """Ask nobody at this address again, and tell it of the asks that are open."""
    address = await _address(tx, opened)
    await suppressions.suppress(tx, {opened.subject: address}, source, now, PERSON)
    asks = await answers.lock_asks_of(tx, await _hashes(tx, tokens, opened))
    await answers.mark_objected(tx, [ask.ask_id for ask in asks], now)
    for ask in asks:
        if not ask.test:
            await queue(tx, now, fact(ask, "unsubscribed", now))


async def resume(tx: WriteTx, tokens: Tokens, opened: Opened, now: datetime) -> None:
    """The person may be asked again."""
    await suppressions.lift_address(tx, await _hashes(tx, tokens, opened), now, PERSON)


async def mailed(tx: ReadTx, tokens: Tokens, opened: Opened) -> dict[str, Mailed]:
    """The programmes that the person may stop alone, by their ids: those that have mailed the address and have not
    ended."""
    return await programme_objections.mailed_by(tx, await _hashes(tx, tokens, opened), SHOWN)


async def stop_programme(tx: WriteTx, opened: Opened, programme_id: str, now: datetime) -> None:
    """Send no more mails of the programme to the address. Nobody else is told: the person takes those of others."""
    await programme_objections.add(tx, await _address(tx, opened), programme_id, now)


async def resume_programme(tx: WriteTx, tokens: Tokens, opened: Opened, programme_id: str) -> None:
    """The programme may mail the address again."""
    await programme_objections.remove(tx, await _hashes(tx, tokens, opened), programme_id)


async def _address(tx: ReadTx, opened: Opened) -> AddressHash:
    """The hash of the token, with its key. A link that was made anew brings a hash of a retired key under the newest
    one."""
    return AddressHash(await answers.key_of_hash(tx, opened.subject) or opened.key_id, opened.subject)


async def _hashes(tx: ReadTx, tokens: Tokens, opened: Opened) -> set[bytes]:
    """The hash of the token, and those of the same address under the other keys, where the directory still has it."""
    same = {opened.subject}
    if len(tokens.key_ids) == 1:
        return same
    for address in await answers.addresses_asked(tx, opened.subject):
        digests = {address_hash.digest for address_hash in hashes_of(tokens, address)}
        if opened.subject in digests:
            same |= digests
    return same
