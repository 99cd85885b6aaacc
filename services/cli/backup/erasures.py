"""Erasures that came after a backup: the journal as a file of its own, and its erasures applied to what a backup
brought back. The journal names nobody, so people are found by hashing the ids that are there."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from services.cli.backup.content import BackupError
from services.cli.paths import write_private
from services.collector.handlers import erasure
from services.collector.handlers.erasure import Erasing
from services.collector.store import erasures as store
from services.collector.store import import_bad_rows, import_drafts
from services.collector.store.erasures import Entry
from shared.db.copies import ids_of_people, people_in_records, within
from shared.db.engine import Database
from shared.db.erasures import Journal, account_subject
from shared.db.transaction import WriteTx
from shared.erasure import subject_by, subjects_by
from shared.events.responses import StakeholderErased
from shared.settings import CommonSettings

_ENTRIES = TypeAdapter(list[Entry])
COLLECTOR = "collector"
READERS = ("scorer", "alerting", "outreach")
"""The schemas of the services that keep data of people and learn of erasures from the collector."""
Waiting = tuple[Entry, str | None]
"""An entry and the id of a person whom it names; None where it is about an account."""


async def write_journal(common: CommonSettings, path: Path) -> int:
    """Write the journal into a file; returns how many entries it has. Raises `DatabaseUnavailable`."""
    async with Database.of(common, COLLECTOR, pool_size=1) as database, database.read() as tx:
        entries = await store.journal(tx)
    write_private(path, _ENTRIES.dump_json(entries, indent=1).decode() + "\n")
    return len(entries)


def read_journal(path: Path) -> list[Entry]:
    """The entries of such a file. Raises `BackupError`."""
    try:
        return _ENTRIES.validate_json(path.read_bytes())
    except ValidationError:
        raise BackupError("journal_damaged", f"{path} is no journal of erasures") from None


async def erase_again(tx: WriteTx, entries: Sequence[Entry], key_ring: Sequence[str]) -> int:
    """Erase once more whom the journal names, unless the database knows that they were erased then or later; returns
    how many people and accounts that were. The collector forgets them here, the others leave them out from now on and
    forget them as they read the events."""
    await within(tx, COLLECTOR)
    new = await store.unknown(tx, entries)
    if not new:
        return 0
    waiting = await _found(tx, new, key_ring)
    for entry in new:
        if entry.subject == account_subject(entry.account_id):
            waiting.append((entry, None))
    await within(tx, COLLECTOR)
    before, erased = await store.last_told(tx), 0
    for entry, stakeholder_id in sorted(waiting, key=_erased_at):
        erased += await _erase(tx, entry, stakeholder_id, key_ring)
    await _forget_files(tx, new)
    await store.enter(tx, entries)
    told = [StakeholderErased.model_validate_json(value) for value in await store.told_since(tx, before)]
    for schema in READERS:
        await within(tx, schema)
        for event in told:
            await Journal.hide(tx, event)
    return erased


def people(entries: Iterable[Entry]) -> list[Entry]:
    """The entries of people, without those of accounts."""
    return [entry for entry in entries if entry.subject != account_subject(entry.account_id)]


def _erased_at(waiting: Waiting) -> datetime:
    return waiting[0].erased_at


async def _erase(tx: WriteTx, entry: Entry, stakeholder_id: str | None, key_ring: Sequence[str]) -> bool:
    """Erase as an entry says; False where one before has done it, since the person was found by another id as well."""
    if stakeholder_id is None:
        await erasure.erase_account(tx, entry.account_id, entry.erased_at, None, entry.receipt_id)
        return True
    journal = Journal(*subjects_by(key_ring))
    [done] = await journal.overtaken(tx, [(entry.account_id, stakeholder_id, entry.erased_at)])
    if done:
        return False
    wanted = Erasing(entry.account_id, stakeholder_id, None)
    await erasure.erase(tx, wanted, entry.erased_at, subject_by(key_ring[0]))
    return True


async def _forget_files(tx: WriteTx, entries: Iterable[Entry]) -> None:
    """Delete what may hold the names of the erased, which nobody knows any more: drafts of imports, and rows that were
    not taken."""
    await import_drafts.forget_all(tx)
    while await import_bad_rows.forget_old(tx, max(entry.erased_at for entry in entries)):
        pass


async def _found(tx: WriteTx, entries: Sequence[Entry], key_ring: Collection[str]) -> list[Waiting]:
    """The people of the entries with their ids, as far as any table, or a record that waits, has one."""
    wanted = {entry.subject: entry for entry in entries}
    subjects = subjects_by(key_ring)
    accounts = {entry.account_id for entry in entries}
    ids = await ids_of_people(tx, (COLLECTOR, *READERS), accounts)
    ids |= await people_in_records(tx, (COLLECTOR, *READERS), accounts)
    found: list[Waiting] = []
    for account_id, stakeholder_id in sorted(ids):
        for subject in subjects:
            entry = wanted.get(subject(account_id, stakeholder_id))
            if entry is not None:
                found.append((entry, stakeholder_id))
    return found
