"""stakeholder.erased: asks, answers and calls of a person go; an objection stays, as the hash of an address."""

from collections.abc import Sequence

from services.outreach.domain.asks import SYSTEM
from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.erasures_of_reviews import erase_from_reviews
from services.outreach.handlers.suppressions import suppress_addresses
from services.outreach.store import erasures, people
from shared.clock import Clock
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx
from shared.events.responses import StakeholderErased
from shared.verdicts import CHANGE, REPEAT, BatchHandler, Received, Verdict

ERASURE = "erasure"
"""The source of an objection that was known only by the person who is erased."""


def erase_stakeholders(journal: Journal, tokens: Tokens, clock: Clock) -> BatchHandler:
    """The handler of stakeholder.erased."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        # Links are made under the lock of the account, so none is made of what is read before this.
        await tx.lock_accounts({record.event.account_id for record in records})
        verdicts = []
        for record in records:
            data = record.event.data
            if not isinstance(data, StakeholderErased):
                raise TypeError(f"not an erasure: {record.event.name}")
            if await journal.known(tx, data):
                verdicts.append(REPEAT)
            else:
                await _erase(tx, journal, tokens, data, clock)
                verdicts.append(CHANGE)
        return verdicts

    return handle


async def _erase(tx: WriteTx, journal: Journal, tokens: Tokens, data: StakeholderErased, clock: Clock) -> None:
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
