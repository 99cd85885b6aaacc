"""Topic invitations: whom anybody has asked, who objected and whose mail came back; and how far our own asks came."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.outreach.domain.asks import SYSTEM, ask_id_in, kind_of
from services.outreach.domain.tokens import Tokens
from services.outreach.handlers.suppressions import suppress_addresses
from services.outreach.store import asks, contacts, people
from shared.clock import Clock
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx
from shared.events.invitations import InvitationFact
from shared.verdicts import CHANGE, BatchHandler, Received, Verdict

_MARKS: Mapping[str, str] = {
    "opened": "opened_at",
    "started": "started_at",
    "bounced": "bounced_at",
    "unsubscribed": "unsubscribed_at",
}
FROM_MAILER = "invitation"
"""The source of an objection that a mailer has told of."""


def read_invitations(journal: Journal, tokens: Tokens, clock: Clock) -> BatchHandler:
    """The handler of every invitation fact. Of each moment the earliest or the latest counts, so that facts may come in
    any order and any number of times."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        await tx.lock_accounts({record.event.account_id for record in records})
        facts = await _not_erased(tx, journal, records)
        own = await _own(tx, facts)
        await contacts.note(tx, list(_moments(facts, own)))
        await _mark(tx, facts, own)
        await _object(tx, tokens, facts, clock.now())
        return [CHANGE] * len(records)

    return handle


async def _not_erased(tx: WriteTx, journal: Journal, records: Sequence[Received]) -> list[InvitationFact]:
    facts, people_of_facts = [], []
    for record in records:
        data = record.event.data
        if not isinstance(data, InvitationFact):
            raise TypeError(f"not an invitation event: {record.event.name}")
        facts.append(data)
        people_of_facts.append((data.account_id, data.stakeholder_id, min(data.at, data.recorded_at)))
    overtaken = await journal.overtaken(tx, people_of_facts)
    return [fact for fact, erased in zip(facts, overtaken, strict=True) if not erased]


async def _own(tx: WriteTx, facts: Sequence[InvitationFact]) -> dict[UUID, Any]:
    """Our own asks among the invitations; one of another account is somebody else's use of the id."""
    ids: dict[UUID, str] = {}
    for fact in facts:
        ask_id = ask_id_in(fact.invitation_id)
        if ask_id is not None:
            ids[ask_id] = fact.account_id
    own = {}
    for ask_id, row in (await asks.own_asks(tx, ids.keys())).items():
        if row["account_id"] == ids[ask_id]:
            own[ask_id] = row
    return own


def _moments(facts: Sequence[InvitationFact], own: Mapping[UUID, Any]) -> Iterator[dict[str, Any]]:
    """What facts say of when people were asked and of what forbids asking them. A foreign survey may be of either kind,
    so it counts for both. Other facts say nothing of that."""
    for fact in facts:
        person = {"account_id": fact.account_id, "stakeholder_id": fact.stakeholder_id}
        if fact.kind == "sent":
            ask = own.get(ask_id_in(fact.invitation_id) or UUID(int=0))
            kinds = ["relationship", "transactional"]
            if ask is not None:
                kinds = [kind_of(ask["nps_kind"])]
            yield person | {f"{name}_asked_at": fact.at for name in ("last", *kinds)}
        elif fact.kind in ("bounced", "unsubscribed"):
            yield person | {f"{fact.kind}_at": fact.at}


async def _mark(tx: WriteTx, facts: Sequence[InvitationFact], own: Mapping[UUID, Any]) -> None:
    """Mark our own asks, whose link another mailer may have sent."""
    earliest: dict[str, dict[UUID, datetime]] = {}
    reminded: dict[UUID, datetime] = {}
    for fact in facts:
        ask_id = ask_id_in(fact.invitation_id)
        if ask_id is None or ask_id not in own:
            continue
        if fact.kind == "reminded":
            reminded[ask_id] = max(fact.at, reminded.get(ask_id, fact.at))
            continue
        moments = earliest.setdefault(fact.kind, {})
        moments[ask_id] = min(fact.at, moments.get(ask_id, fact.at))
    if "sent" in earliest:
        await asks.mark_sent(tx, earliest["sent"])
    for kind, name in _MARKS.items():
        if kind in earliest:
            await asks.mark(tx, name, earliest[kind])
    if reminded:
        await asks.mark_reminded(tx, reminded)


async def _object(tx: WriteTx, tokens: Tokens, facts: Sequence[InvitationFact], now: datetime) -> None:
    """Who unsubscribed anywhere is asked nowhere; the hash of the address stays when the person is erased."""
    objecting: dict[tuple[str, str], datetime] = {}
    for fact in facts:
        if fact.kind == "unsubscribed":
            person = fact.account_id, fact.stakeholder_id
            objecting[person] = max(fact.at, objecting.get(person, fact.at))
    addresses = {}
    for person, address in (await people.addresses_of(tx, list(objecting))).items():
        addresses[address] = objecting[person]
    await suppress_addresses(tx, tokens, addresses, FROM_MAILER, now, SYSTEM)
