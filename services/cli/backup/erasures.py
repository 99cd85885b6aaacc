"""Erasures that came after a backup: the journal as a file of its own, and its erasures applied to what a backup
brought back. The journal names nobody, so people are found by hashing the ids that are there."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from services.cli.backup.content import BackupError
from services.cli.paths import write_private
from services.collector.handlers import erasure
from services.collector.handlers.erasure import Erasing
from services.collector.store import erasures as store
from services.collector.store.erasures import Entry
from shared.db.copies import ids_of_people, within
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
Person = tuple[str, str]
"""account_id and stakeholder_id."""


async def write_journal(common: CommonSettings, path: Path) -> int:
    """Write the journal into a file; returns how many entries it has. Raises `DatabaseUnavailable`."""
    database = Database.of(common, COLLECTOR, pool_size=1)
    try:
        async with database.read() as tx:
            entries = await store.journal(tx)
    finally:
        await database.close()
    write_private(path, _ENTRIES.dump_json(entries, indent=1).decode() + "\n")
    return len(entries)


def read_journal(path: Path) -> list[Entry]:
    """The entries of such a file. Raises `BackupError`."""
    try:
        return _ENTRIES.validate_json(path.read_bytes())
    except ValidationError:
        raise BackupError("journal_damaged", f"{path} is no journal of erasures") from None


async def erase_again(tx: WriteTx, entries: Sequence[Entry], key_ring: Sequence[str]) -> int:
    """Erase once more whom the journal names and the database does not know as erased; returns how many people and
    accounts that were. The collector forgets them here, the others leave them out from now on and forget them as they
    read the events."""
    await within(tx, COLLECTOR)
    new = await store.unknown(tx, entries)
    accounts = [entry for entry in new if entry.subject == account_subject(entry.account_id)]
    found = await _found(tx, new, key_ring)
    await within(tx, COLLECTOR)
    before = await store.last_told(tx)
    subject = subject_by(key_ring[0])
    for (account_id, stakeholder_id), entry in found.items():
        await erasure.erase(tx, Erasing(account_id, stakeholder_id, None), entry.erased_at, subject)
    for entry in accounts:
        await erasure.erase_account(tx, entry.account_id, entry.erased_at, None)
    await store.enter(tx, people(new))  # those of accounts were just made anew
    told = [StakeholderErased.model_validate_json(value) for value in await store.told_since(tx, before)]
    for schema in READERS:
        await within(tx, schema)
        for event in told:
            await Journal.hide(tx, event)
    return len(found) + len(accounts)


def people(entries: Iterable[Entry]) -> list[Entry]:
    """The entries of people, without those of accounts."""
    return [entry for entry in entries if entry.subject != account_subject(entry.account_id)]


async def _found(tx: WriteTx, entries: Sequence[Entry], key_ring: Collection[str]) -> dict[Person, Entry]:
    """The people of the entries, as far as any table has one of their ids."""
    wanted = {entry.subject: entry for entry in entries}
    subjects = subjects_by(key_ring)
    found: dict[Person, Entry] = {}
    ids = await ids_of_people(tx, (COLLECTOR, *READERS), {entry.account_id for entry in entries})
    for account_id, stakeholder_id in sorted(ids):
        for subject in subjects:
            entry = wanted.get(subject(account_id, stakeholder_id))
            if entry is not None:
                found[account_id, stakeholder_id] = entry
    return found
