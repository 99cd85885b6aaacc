"""The records of the directory that one transaction works on: each change sees the result of those before it, and all
are written and published together."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.collector.handlers.responses import SOURCE
from services.collector.store import aliases, erasures
from services.collector.store import directory as store
from services.collector.store.aliases import Merge
from services.collector.store.directory import DirectoryEvent, Person, Stored
from shared.db.transaction import WriteTx
from shared.errors import NotFound
from shared.events.directory import (
    AccountRecord,
    AccountRemoved,
    AccountUpserted,
    StakeholderRecord,
    StakeholderRemoved,
    StakeholderUpserted,
)
from shared.events.envelope import Event
from shared.ids import uuid7
from shared.topics import ACCOUNT_REMOVED, ACCOUNT_UPSERTED, DIRECTORY, STAKEHOLDER_REMOVED, STAKEHOLDER_UPSERTED

_TICK = timedelta(microseconds=1)
_NAMES: Mapping[type[DirectoryEvent], str] = {
    AccountUpserted: ACCOUNT_UPSERTED,
    AccountRemoved: ACCOUNT_REMOVED,
    StakeholderUpserted: STAKEHOLDER_UPSERTED,
    StakeholderRemoved: STAKEHOLDER_REMOVED,
}
NOBODYS = ""
"""An account that nobody has: who names a parent locks it as well, so that two cannot close a circle at once."""


class Records:
    """The records of locked accounts, as they stand after the changes so far."""

    def __init__(self, now: datetime, owner_email: str | None) -> None:
        self._now = now
        self._owner_email = owner_email
        self._accounts: dict[str, Stored] = {}
        self._people: dict[Person, Stored] = {}
        self._holders: dict[Person, str] = {}
        self._latest: dict[str, datetime] = {}
        self._parents: dict[str, str | None] = {}
        self._events: list[DirectoryEvent] = []
        self._claimed: dict[Person, str] = {}
        self._released: set[Person] = set()
        self._merges: list[Merge] = []

    async def load(
        self, tx: WriteTx, account_ids: Iterable[str], people: Iterable[Person], parents: Iterable[str] = ()
    ) -> None:
        """Lock the accounts, and read their records and those of the people, whichever of their ids are given, and the
        line of parents above `parents`."""
        accounts, wanted, above = set(account_ids), set(people), set(parents)
        locked = set(accounts)
        if above:
            locked.add(NOBODYS)
        await tx.lock_accounts(locked)
        self._accounts |= await store.accounts(tx, accounts)
        for account_id, stored in self._accounts.items():
            self._note_time(account_id, stored.recorded_at)
        if above:
            self._parents = await store.parents_above(tx, above)
        if not wanted:
            return
        self._holders |= await aliases.holders(tx, wanted)
        for (account_id, _), holder in self._holders.items():
            wanted.add((account_id, holder))
        self._people |= await store.stakeholders(tx, wanted)
        for (account_id, _), stored in self._people.items():
            self._note_time(account_id, stored.recorded_at)
        for account_id, erased_at in (await erasures.last_of_accounts(tx, accounts)).items():
            self._note_time(account_id, erased_at)

    def account(self, account_id: str) -> Stored | None:
        """The stored account. Raises `NotFound` where the caller may not see it."""
        account = self._accounts.get(account_id)
        if not is_visible(account, self._owner_email):
            raise unknown()
        return account

    def person(self, account_id: str, stakeholder_id: str) -> Stored | None:
        """The stored record of a person by their own id."""
        return self._people.get((account_id, stakeholder_id))

    def own_id(self, account_id: str, stakeholder_id: str) -> str:
        """The person's own id, of whichever of their ids."""
        return self._holders.get((account_id, stakeholder_id), stakeholder_id)

    def is_above(self, account_id: str, parent_id: str) -> bool:
        """Whether the account is the parent itself, or stands somewhere above it."""
        seen: set[str] = set()
        current: str | None = parent_id
        while current is not None and current not in seen:
            if current == account_id:
                return True
            seen.add(current)
            current = self._parents.get(current)
        return False

    def next_time(self, account_id: str) -> datetime:
        """The time of a change at an account: later than the records of it that were read, whichever clock they have
        their time from, since the later of two people who say they have an id has it. And later than its last erasure,
        since every service drops facts recorded before that."""
        before = self._latest.get(account_id)
        if before is None:
            return self._now
        return max(self._now, before + _TICK)

    def put(self, record: AccountRecord | StakeholderRecord, at: datetime) -> None:
        """Write a whole record, recorded at that time."""
        if isinstance(record, AccountRecord):
            self._parents[record.account_id] = record.parent_account_id
            self._add(AccountUpserted(**dict(record), event_id=uuid7(), recorded_at=at), removed=False)
        else:
            self._add(StakeholderUpserted(**dict(record), event_id=uuid7(), recorded_at=at), removed=False)

    def remove(self, record: AccountRecord | StakeholderRecord, merged_into: str | None = None) -> None:
        """Mark a record as removed; a person's ids stay theirs, or become those of `merged_into`."""
        if isinstance(record, AccountRecord):
            at = self.next_time(record.account_id)
            self._add(AccountRemoved(**dict(record), event_id=uuid7(), recorded_at=at), removed=True)
            self._parents.pop(record.account_id, None)
            return
        removed = StakeholderRemoved(
            account_id=record.account_id,
            stakeholder_id=record.stakeholder_id,
            type=record.type,
            previous=record.previous,
            aliases=record.aliases,
            merged_into=merged_into,
            event_id=uuid7(),
            recorded_at=self.next_time(record.account_id),
        )
        self._add(removed, removed=True)

    def erase(self, account_id: str, event_id: UUID) -> AccountRemoved:
        """Let nothing but the id be left of an account; the event carries when."""
        at = self.next_time(account_id)
        event = AccountRemoved(account_id=account_id, erased_at=at, event_id=event_id, recorded_at=at)
        self._add(event, removed=True)
        return event

    def claim(self, account_id: str, ids: Iterable[str], holder: str) -> None:
        """Make ids aliases of a person."""
        for alias in ids:
            self._holders[account_id, alias] = self._claimed[account_id, alias] = holder
            self._released.discard((account_id, alias))

    def release(self, account_id: str, alias: str) -> None:
        """The id is nobody's alias any more."""
        self._holders.pop((account_id, alias), None)
        self._claimed.pop((account_id, alias), None)
        self._released.add((account_id, alias))

    def note_merge(self, record: StakeholderRecord, into_id: str, *, existed: bool) -> None:
        """Keep what undoing the merge of this record needs."""
        kept = None
        if existed:
            kept = record.model_dump(mode="json")
        self._merges.append(Merge(record.account_id, record.stakeholder_id, into_id, record.aliases, kept, self._now))

    async def save(self, tx: WriteTx) -> None:
        """Write the rows, and the events to the outbox."""
        await store.save(tx, self._events)
        await aliases.save(tx, self._claimed, self._released)
        await aliases.note_merges(tx, self._merges)
        # Whoever follows a person to another record shall know that one before this one goes.
        ordered = sorted(self._events, key=is_merged)
        await tx.emit(DIRECTORY, *map(envelope, ordered))

    def _add(self, event: DirectoryEvent, *, removed: bool) -> None:
        self._events.append(event)
        self._note_time(event.account_id, event.recorded_at)
        record = event.model_dump(mode="json", exclude={"event_id", "recorded_at"})
        changed = Stored(record, removed, event.recorded_at)
        if isinstance(event, StakeholderUpserted | StakeholderRemoved):
            self._people[event.account_id, event.stakeholder_id] = changed
            return
        owner = None
        if event.owner and event.owner.email:
            owner = event.owner.email.lower()
        self._accounts[event.account_id] = replace(changed, owner_email=owner)

    def _note_time(self, account_id: str, recorded_at: datetime) -> None:
        self._latest[account_id] = max(recorded_at, self._latest.get(account_id, recorded_at))


def is_visible(account: Stored | None, owner_email: str | None) -> bool:
    """Whether a caller limited to one owner's accounts may see this account; without a limit all are visible."""
    return owner_email is None or (account is not None and account.owner_email == owner_email)


def unknown() -> NotFound:
    """One error for a record that is not there and for one that is not this caller's to see."""
    return NotFound("not_found", "there is no such record")


def as_account(record: Mapping[str, Any]) -> AccountRecord:
    """A stored account as its model."""
    return AccountRecord.model_validate(record)


def as_person(record: Mapping[str, Any]) -> StakeholderRecord:
    """A stored person as their model."""
    return StakeholderRecord.model_validate(record)


def is_merged(event: DirectoryEvent) -> bool:
    """Whether the record went because it was merged into another one."""
    return isinstance(event, StakeholderRemoved) and event.merged_into is not None


def envelope(event: DirectoryEvent) -> Event:
    """The event as it goes to the topic: the last one of each record stays there."""
    event_id: UUID = event.event_id
    key = event.account_id
    if isinstance(event, StakeholderUpserted | StakeholderRemoved):
        key = f"{event.account_id}/{event.stakeholder_id}"
    return Event(event_id, _NAMES[type(event)], SOURCE, event.recorded_at, event.account_id, event, key)
