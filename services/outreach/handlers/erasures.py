"""stakeholder.erased: asks, answers and calls of a person go; an objection stays, as the hash of an address."""

from services.outreach.domain.asks import SYSTEM
from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.erasures_of_reviews import erase_from_reviews
from services.outreach.handlers.suppressions import suppress_addresses
from services.outreach.store import erasures, people
from shared.clock import Clock
from shared.db.erasures import Journal, erase_each
from shared.db.transaction import WriteTx
from shared.events.responses import StakeholderErased
from shared.verdicts import BatchHandler

ERASURE = "erasure"
"""The source of an objection that was known only by the person who is erased."""


def erase_stakeholders(journal: Journal, tokens: Tokens, clock: Clock) -> BatchHandler:
    """The handler of stakeholder.erased."""

    async def erase(tx: WriteTx, data: StakeholderErased) -> None:
        ids = [erased.stakeholder_id for erased in data.every_id()]
        now = clock.now()
        objected_at = await erasures.objected_at(tx, data.account_id, ids)
        if objected_at is not None:
            known = await people.addresses_of(tx, [(data.account_id, given) for given in ids])
            addresses = dict.fromkeys((*known.values(), *ids), objected_at)
            await suppress_addresses(tx, tokens, addresses, ERASURE, now, SYSTEM)
        await erase_from_reviews(tx, data.account_id, ids)
        asks, calls = await erasures.erase(tx, data.account_id, ids, data.erased_at)
        await journal.applied(tx, data, now, asks=asks, calls=calls)

    return erase_each(erase)
