"""Erasure of a person, and of an account with everybody at it: from the directory at once, with an event for all
services that keep data about them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.collector.handlers.records import Records, is_visible
from services.collector.handlers.responses import SOURCE
from services.collector.store import aliases, directory, erasures, import_bad_rows, import_drafts
from services.collector.store.directory import Person, Stored
from services.collector.store.erasures import Entry, Receipt
from shared.db.erasures import Forgotten, account_subject, forget_outbox
from shared.db.transaction import ReadTx, WriteTx
from shared.erasure import Names, Subject
from shared.errors import Conflict, NotFound, Unavailable
from shared.events.envelope import Event
from shared.events.responses import ErasedId, StakeholderErased
from shared.ids import derived_uuid, uuid7
from shared.topics import DIRECTORY, RESPONSES, STAKEHOLDER_ERASED


@dataclass(frozen=True, slots=True)
class Erasing:
    """The person to be erased, and the owner to whose accounts the caller is limited."""

    account_id: str
    stakeholder_id: str
    owner_email: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """The person at one account: all their ids, the one that was named or their own first, and their records."""

    account_id: str
    ids: tuple[str, ...]
    records: Sequence[Stored]

    def names(self) -> Names:
        """The ids, and name and address of the directory."""
        found: list[str | None] = list(self.ids)
        for stored in self.records:
            found += [stored.record.get("name"), stored.record.get("email")]
        return Names(found, self.account_id)


async def erase(tx: WriteTx, wanted: Erasing, now: datetime, subject: Subject) -> Receipt:
    """Erase a person with all their ids, whether or not the directory knows them: people who answer need not be in it.
    The directory topic gets a tombstone for each id, `responses` the event that the other services act on, one for each
    account where the person is or was. Raises `NotFound` for an account that the caller may not see, and `Conflict`
    where the person was at one."""
    lines = await _locked_lines(tx, wanted)
    await _require_visible(tx, wanted, [line.account_id for line in lines])
    # Never before the newest record of the person, whose time may lie a little ahead of the clock.
    erased_at = now
    for line in lines:
        erased_at = max([erased_at, *(stored.recorded_at for stored in line.records)])
    receipt_id = uuid7()
    entries: list[Entry] = []
    await import_drafts.forget_all(tx)
    for line in lines:
        people = await erasures.forget_stakeholder(tx, line.account_id, line.ids)
        await erasures.forget_in_imports(tx, line.names())
        await import_bad_rows.forget_named(tx, line.names())
        events = 0
        for stakeholder_id in line.ids:
            events += await forget_outbox(tx, Forgotten(line.account_id, stakeholder_id, erased_at))
        for stakeholder_id in line.ids:
            hashed = subject(line.account_id, stakeholder_id)
            named = not entries
            entries.append(Entry(receipt_id, hashed, line.account_id, erased_at, now, named, people, events))
            people = events = 0
    await erasures.enter(tx, entries)
    counts = [sum(entry.stakeholders for entry in entries), sum(entry.events for entry in entries)]
    receipt = Receipt(receipt_id, wanted.account_id, erased_at, now, len(entries), *counts)
    for line in lines:
        await _tell(tx, receipt, line, tuple(_ids(line.account_id, lines, subject)))
    return receipt


async def erase_account(
    tx: WriteTx, account_id: str, now: datetime, owner_email: str | None, receipt_id: UUID | None = None
) -> Receipt:
    """Erase an account with everybody at it, whether or not the directory knows it. The directory topic gets a
    tombstone for each person, and the account's last record without anything but its id. `receipt_id` is given where
    an erasure is done once more. Raises `NotFound` for an account that the caller may not see."""
    await tx.lock_accounts([account_id])
    people = await erasures.everybody_at(tx, account_id)
    records = Records(now, owner_email)
    await records.load(tx, [account_id], [(account_id, stakeholder_id) for stakeholder_id in people])
    records.account(account_id)
    await erasures.forget_everybody_at(tx, account_id)
    for stakeholder_id in people:
        await tx.emit_raw(DIRECTORY, account_id, f"{account_id}/{stakeholder_id}".encode(), None, [])
    event = records.erase(account_id, receipt_id or uuid7())
    await records.save(tx)
    entry = Entry(
        receipt_id=event.event_id,
        subject=account_subject(account_id),
        account_id=account_id,
        erased_at=event.recorded_at,
        applied_at=now,
        asked_for=True,
        stakeholders=len(people),
    )
    await erasures.enter(tx, [entry])
    return Receipt(entry.receipt_id, account_id, entry.erased_at, now, 1, len(people), 0)


async def _tell(tx: WriteTx, receipt: Receipt, line: Line, ids: tuple[ErasedId, ...]) -> None:
    """Tombstones for the ids at one account, and the event about them."""
    account_id = line.account_id
    for stakeholder_id in line.ids:
        await tx.emit_raw(DIRECTORY, account_id, f"{account_id}/{stakeholder_id}".encode(), None, [])
    named = next(erased for erased in ids if erased.account_id is None)
    data = StakeholderErased(
        receipt_id=receipt.receipt_id,
        account_id=account_id,
        stakeholder_id=named.stakeholder_id,
        subject=named.subject,
        erased_at=receipt.erased_at,
        ids=ids,
    )
    event_id = receipt.receipt_id
    if account_id != receipt.account_id:
        event_id = derived_uuid(STAKEHOLDER_ERASED, str(receipt.receipt_id), account_id)
    await tx.emit(RESPONSES, Event(event_id, STAKEHOLDER_ERASED, SOURCE, receipt.applied_at, account_id, data))


def _ids(account_id: str, lines: Iterable[Line], subject: Subject) -> Iterable[ErasedId]:
    """All ids of the person, as the event about this account names them."""
    for line in lines:
        elsewhere = None
        if line.account_id != account_id:
            elsewhere = line.account_id
        for stakeholder_id in line.ids:
            yield ErasedId(
                account_id=elsewhere, stakeholder_id=stakeholder_id, subject=subject(line.account_id, stakeholder_id)
            )


async def _locked_lines(tx: WriteTx, wanted: Erasing) -> list[Line]:
    """The person's lines, with their accounts locked. Locks are taken all at once, so they are looked up before that
    as well."""
    lines = await _lines_of(tx, wanted)
    locked = {line.account_id for line in lines}
    await tx.lock_accounts(locked)
    lines = await _lines_of(tx, wanted)
    if not locked.issuperset(line.account_id for line in lines):
        raise Unavailable("person_moved", "the person has just moved to another account")
    return lines


async def _lines_of(tx: ReadTx, wanted: Erasing) -> list[Line]:
    """The person at the account, and before and after that at others."""
    lines: list[Line] = []
    seen: set[Person] = set()
    waiting: list[Person] = [(wanted.account_id, wanted.stakeholder_id)]
    while waiting:
        person = waiting.pop(0)
        if person in seen:
            continue
        line = await _line_of(tx, *person)
        seen.update((line.account_id, stakeholder_id) for stakeholder_id in line.ids)
        lines.append(line)
        for stored in line.records:
            previous = stored.record.get("previous")
            if previous:
                waiting.append((previous["account_id"], previous["stakeholder_id"]))
        waiting += await erasures.later_lines(tx, line.account_id, line.ids)
    return lines


async def _line_of(tx: ReadTx, account_id: str, stakeholder_id: str) -> Line:
    person = (account_id, stakeholder_id)
    own_id = (await aliases.holders(tx, [person])).get(person, stakeholder_id)
    further = (await aliases.of_people(tx, [(account_id, own_id)])).get((account_id, own_id), [])
    ids = tuple(dict.fromkeys((stakeholder_id, own_id, *further)))
    found = await directory.stakeholders(tx, [(account_id, stakeholder_id) for stakeholder_id in ids])
    return Line(account_id, ids, list(found.values()))


async def _require_visible(tx: ReadTx, wanted: Erasing, account_ids: Sequence[str]) -> None:
    accounts = await directory.accounts(tx, account_ids)
    if not is_visible(accounts.get(wanted.account_id), wanted.owner_email):
        raise NotFound("not_found", "there is no such account")
    if not all(is_visible(accounts.get(account_id), wanted.owner_email) for account_id in account_ids):
        raise Conflict("person_elsewhere", "the person was at an account of another owner: erase with a key for all")


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
