"""The first reading: whom others have asked before outreach was there, and who answered or objected."""

from collections.abc import Sequence
from datetime import datetime

from services.outreach.domain.asks import SYSTEM
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.everybody import PersonRead
from services.outreach.handlers.invitations import FROM_MAILER
from services.outreach.handlers.suppressions import suppress_addresses
from services.outreach.store import contacts
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx


async def keep_people(
    tx: WriteTx, people: Sequence[PersonRead], journal: Journal, tokens: Tokens, now: datetime
) -> None:
    """Keep what the scorer says of people. It does not say which kind of survey they were asked, so that counts for
    both. Who has been erased since their last moment is passed over: the scorer may read more slowly."""
    known = []
    facts = []
    for person in people:
        if person.last_at is not None:
            known.append(person)
            facts.append((person.account_id, person.stakeholder_id, person.last_at))
    # An erasure holds the same locks: nothing of those whom it deletes is written after it.
    await tx.lock_accounts({person.account_id for person in known})
    moments = []
    objecting: dict[str, datetime] = {}
    for person, erased in zip(known, await journal.overtaken(tx, facts), strict=True):
        if erased:
            continue
        moments.append(
            {
                "account_id": person.account_id,
                "stakeholder_id": person.stakeholder_id,
                "last_asked_at": person.last_asked_at,
                "relationship_asked_at": person.last_asked_at,
                "transactional_asked_at": person.last_asked_at,
                "relationship_answered_at": person.relationship_answered_at,
                "transactional_answered_at": person.transactional_answered_at,
                "bounced_at": person.bounced_at,
                "unsubscribed_at": person.unsubscribed_at,
            }
        )
        if person.unsubscribed_at is not None and person.email is not None:
            objecting[person.email] = person.unsubscribed_at
    await contacts.note(tx, moments)
    await suppress_addresses(tx, tokens, objecting, FROM_MAILER, now, SYSTEM)
