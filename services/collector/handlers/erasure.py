"""Erasure of a person: from the directory at once, with an event for all services that keep data about the person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector.handlers.directory import is_visible
from services.collector.handlers.responses import SOURCE
from services.collector.store import directory, erasures
from services.collector.store.directory import Stored
from services.collector.store.erasures import Receipt
from shared.db.erasures import Forgotten, forget_outbox
from shared.db.transaction import ReadTx, WriteTx
from shared.erasure import Names, Subject
from shared.errors import NotFound
from shared.events.envelope import Event
from shared.events.responses import StakeholderErased
from shared.ids import uuid7
from shared.topics import DIRECTORY, RESPONSES, STAKEHOLDER_ERASED


@dataclass(frozen=True, slots=True)
class Erasing:
    """The person to be erased, and the owner to whose accounts the caller is limited."""

    account_id: str
    stakeholder_id: str
    owner_email: str | None


async def erase(tx: WriteTx, wanted: Erasing, now: datetime, subject: Subject) -> Receipt:
    """Erase a person, whether or not the directory knows them: people who answer need not be in it. The directory topic
    gets a tombstone, `responses` the event that the other services act on. Raises `NotFound` for an account that the
    caller may not see."""
    person = (wanted.account_id, wanted.stakeholder_id)
    await tx.lock_accounts([wanted.account_id])
    account = (await directory.accounts(tx, [wanted.account_id])).get(wanted.account_id)
    if not is_visible(account, wanted.owner_email):
        raise NotFound("not_found", "there is no such account")
    stored = (await directory.stakeholders(tx, [person])).get(person)
    # Never before the newest record of the person, whose time may lie a little ahead of the clock.
    erased_at = now
    if stored is not None:
        erased_at = max(now, stored.recorded_at)
    people = await erasures.forget_stakeholder(tx, *person)
    await erasures.forget_in_imports(tx, _names(wanted, stored))
    events = await forget_outbox(tx, Forgotten(*person, erased_at))
    receipt = Receipt(uuid7(), subject(*person), wanted.account_id, erased_at, now, people, events)
    await erasures.enter(tx, receipt)
    await tx.emit_raw(DIRECTORY, wanted.account_id, "/".join(person).encode(), None, [])
    data = StakeholderErased(
        receipt_id=receipt.receipt_id,
        account_id=wanted.account_id,
        stakeholder_id=wanted.stakeholder_id,
        subject=receipt.subject,
        erased_at=erased_at,
    )
    await tx.emit(RESPONSES, Event(receipt.receipt_id, STAKEHOLDER_ERASED, SOURCE, now, wanted.account_id, data))
    return receipt


def _names(wanted: Erasing, stored: Stored | None) -> Names:
    """The person's names: the id, and name and address of the directory."""
    record: Mapping[str, Any] = {}
    if stored is not None:
        record = stored.record
    return Names((wanted.stakeholder_id, record.get("name"), record.get("email")), wanted.account_id)


async def find_receipt(tx: ReadTx, receipt_id: UUID, owner_email: str | None) -> Receipt:
    """A receipt. Raises `NotFound`, also for a receipt of an account that the caller may not see."""
    receipt = await erasures.find(tx, receipt_id)
    if receipt is not None and owner_email is not None:
        account = (await directory.accounts(tx, [receipt.account_id])).get(receipt.account_id)
        if not is_visible(account, owner_email):
            receipt = None
    if receipt is None:
        raise NotFound("erasure_not_found", "there is no such erasure")
    return receipt
