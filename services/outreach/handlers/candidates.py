"""Who is to be asked: people as they were named, with all that is known of them from every source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.outreach.domain.eligibility import FLOOR, Candidate
from services.outreach.domain.tokens import AddressHash, Tokens
from services.outreach.handlers.suppressions import hashes_of
from services.outreach.store import people, programme_objections, suppressions
from services.outreach.store.people import Chosen, PersonKey
from shared.access.caller import Caller
from shared.db.directory import own_ids
from shared.db.transaction import ReadTx
from shared.errors import Invalid
from shared.ids import stakeholder_of

MOST = 10_000
"""People of one call."""
TOO_MANY = f"at most {MOST} people at once; choose fewer"


@dataclass(frozen=True, slots=True)
class Named:
    """A person as the caller named them: by one of the two."""

    account_id: str
    stakeholder_id: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A candidate with the hash of the address, if there is one."""

    candidate: Candidate
    hashed: AddressHash | None


async def persons_of(
    tx: ReadTx, named: Sequence[Named] | None, chosen: Chosen | None, caller: Caller
) -> list[PersonKey]:
    """The people, by their own ids: those that were named, in their order, or else those of the directory that are
    chosen. Raises `Invalid` for too many."""
    if chosen is not None:
        found = await people.chosen_people(tx, chosen, caller.owner_email, MOST + 1)
        if len(found) > MOST:
            raise Invalid("too_many_people", TOO_MANY)
        return found
    given = []
    addresses = set()
    for asked in named or ():
        stakeholder_id = asked.stakeholder_id
        if stakeholder_id is None:
            stakeholder_id = stakeholder_of(asked.email or "")
            addresses.add((asked.account_id, stakeholder_id))
        given.append((asked.account_id, stakeholder_id))
    # Whose id it is at an account of others would tell the caller who is known there.
    hidden = await unseen_people(tx, given, caller)
    own = await own_ids(tx, set(given) - hidden)
    has = await people.by_address(tx, addresses - hidden)
    persons = []
    for asked, person in zip(named or (), given, strict=True):
        stakeholder_id = own.get(person, person[1])
        if asked.stakeholder_id is None and stakeholder_id == person[1]:
            stakeholder_id = has.get(person, stakeholder_id)
        persons.append((person[0], stakeholder_id))
    return persons


async def unseen_people(tx: ReadTx, persons: Sequence[PersonKey], caller: Caller) -> set[PersonKey]:
    """Those at accounts that the caller does not see: they are answered as if nobody knew them."""
    if caller.owner_email is None:
        return set()
    seen = await people.seen_accounts(tx, {account_id for account_id, _ in persons}, caller.owner_email)
    return {person for person in persons if person[0] not in seen}


async def known_people(
    tx: ReadTx, persons: Sequence[PersonKey], tokens: Tokens, now: datetime, programme_id: str | None = None
) -> dict[PersonKey, Known]:
    """All that is known of the people, from every source; for a programme also who wants no mails of it."""
    found = await people.candidates(tx, set(persons), now.date())
    hashes: dict[PersonKey, tuple[AddressHash, ...]] = {}
    digests: set[bytes] = set()
    addresses: set[str] = set()
    for person, candidate in found.items():
        hashes[person] = hashes_of(tokens, candidate.email)
        digests.update(address_hash.digest for address_hash in hashes[person])
        if candidate.email is not None:
            addresses.add(candidate.email.lower())
    by_address = await people.asked_by_address(tx, addresses, now - FLOOR)
    by_hash = await people.asked_by_hash(tx, digests, now - FLOOR)
    listed = await suppressions.objections(tx, digests)
    narrowed: set[bytes] = set()
    if programme_id is not None:
        narrowed = await programme_objections.objecting(tx, digests, programme_id)
    known = {}
    for person, candidate in found.items():
        asked = [by_address.get((candidate.email or "").lower())]
        lifted: list[datetime | None] = []
        objected = False
        for address_hash in hashes[person]:
            objected |= address_hash.digest in narrowed
            asked.append(by_hash.get(address_hash.digest))
            objection = listed.get(address_hash.digest)
            if objection is not None:
                objected |= objection.objected
                lifted.append(objection.lifted_at)
        hashed = None
        if hashes[person]:
            hashed = hashes[person][0]
        known[person] = Known(
            replace(
                candidate,
                address_asked_at=max(filter(None, asked), default=None),
                objected=objected,
                lifted_at=max(filter(None, lifted), default=None),
            ),
            hashed,
        )
    return known
