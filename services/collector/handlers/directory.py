"""The directory: complete records, merged under the account's lock and published by the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from services.collector.domain.merging import merge_patch
from services.collector.handlers.inputs.directory import AccountItem, StakeholderItem
from services.collector.handlers.inputs.fields import MAX_ATTRIBUTES
from services.collector.handlers.refusals import refused
from services.collector.handlers.responses import SOURCE, who
from services.collector.store import directory as store
from services.collector.store import erasures
from services.collector.store.directory import DirectoryEvent, Person, Stored, Wanted
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Invalid, NotFound, TellbackError
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

Record = AccountRecord | StakeholderRecord
_TICK = timedelta(microseconds=1)
_NAMES: Mapping[type[DirectoryEvent], str] = {
    AccountUpserted: ACCOUNT_UPSERTED,
    AccountRemoved: ACCOUNT_REMOVED,
    StakeholderUpserted: STAKEHOLDER_UPSERTED,
    StakeholderRemoved: STAKEHOLDER_REMOVED,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one record: merge `members` into the record; with `whole` into an empty one (PUT); with `existing`
    only if it exists (PATCH)."""

    account_id: str
    stakeholder_id: str | None
    members: Mapping[str, Any]
    whole: bool = False
    existing: bool = False

    @classmethod
    def of(cls, item: AccountItem | StakeholderItem) -> "Change":
        """The merge that a row of a batch or a file stands for."""
        person = None
        if isinstance(item, StakeholderItem):
            person = who(item.stakeholder_id, item.email)
        return cls(item.account_id, person, item.members())


@dataclass(frozen=True, slots=True)
class Changed:
    """A record after its change; `moved` is False if the change made no difference."""

    record: Record
    recorded_at: datetime
    moved: bool


class _Directory:
    """The records that one transaction works on; each change sees the result of those before it."""

    def __init__(
        self,
        accounts: dict[str, Stored],
        people: dict[Person, Stored],
        erased: Mapping[str, datetime],
        now: datetime,
        owner_email: str | None,
    ) -> None:
        self._accounts = accounts
        self._people = people
        self._erased = erased
        self._now = now
        self._owner_email = owner_email
        self.events: list[DirectoryEvent] = []

    @classmethod
    async def load(cls, tx: WriteTx, changes: Sequence[Change], now: datetime, owner_email: str | None) -> "_Directory":
        """Lock the accounts, and read the records and erasures that the changes concern."""
        account_ids = {change.account_id for change in changes}
        await tx.lock_accounts(account_ids)
        people = {(change.account_id, change.stakeholder_id) for change in changes if change.stakeholder_id is not None}
        stored_accounts = await store.accounts(tx, account_ids)
        stored_people = await store.stakeholders(tx, people)
        erased: dict[str, datetime] = {}
        if people:
            erased = await erasures.last_of_accounts(tx, account_ids)
        return cls(stored_accounts, stored_people, erased, now, owner_email)

    def apply(self, change: Change) -> Changed:
        """Merge a change. Raises `NotFound`, and `Invalid` for an inconsistent record."""
        stored = self._visible(change.account_id, change.stakeholder_id)
        present = stored
        if stored is not None and stored.removed:
            present = None
        if change.existing and present is None:
            raise NotFound("not_found", "there is no such record")
        base: Mapping[str, Any] = {}
        if present is not None and not change.whole:
            base = present.record
        record = _record(change, merge_patch(base, change.members))
        if present is not None and record == _read(change, present.record):
            return Changed(record, present.recorded_at, moved=False)
        event_type: type[AccountUpserted | StakeholderUpserted] = StakeholderUpserted
        if change.stakeholder_id is None:
            event_type = AccountUpserted
        event = event_type(**dict(record), event_id=uuid7(), recorded_at=self._after(change, stored))
        self._add(change, event, stored, removed=False)
        return Changed(record, event.recorded_at, moved=True)

    def remove(self, change: Change) -> None:
        """Mark a record as removed. Raises `NotFound`."""
        stored = self._visible(change.account_id, change.stakeholder_id)
        if stored is None or stored.removed:
            raise NotFound("not_found", "there is no such record")
        record = _read(change, stored.record)
        stamp: dict[str, Any] = {"event_id": uuid7(), "recorded_at": self._after(change, stored)}
        event: DirectoryEvent
        if isinstance(record, AccountRecord):
            event = AccountRemoved(**dict(record), **stamp)
        else:
            event = StakeholderRemoved(
                account_id=record.account_id, stakeholder_id=record.stakeholder_id, type=record.type, **stamp
            )
        self._add(change, event, stored, removed=True)

    async def save(self, tx: WriteTx) -> None:
        """Write the rows, and the events to the outbox."""
        await store.save(tx, self.events)
        await tx.emit(DIRECTORY, *(_envelope(event) for event in self.events))

    def _visible(self, account_id: str, stakeholder_id: str | None) -> Stored | None:
        account = self._accounts.get(account_id)
        if not is_visible(account, self._owner_email):
            raise NotFound("not_found", "there is no such record")
        if stakeholder_id is None:
            return account
        return self._people.get((account_id, stakeholder_id))

    def _after(self, change: Change, stored: Stored | None) -> datetime:
        """The time of a change: later than the stored record. For a person without a record, later than the last
        erasure, since every service drops facts recorded before it."""
        before = None
        if stored is not None:
            before = stored.recorded_at
        elif change.stakeholder_id:
            before = self._erased.get(change.account_id)
        if before is None:
            return self._now
        return max(self._now, before + _TICK)

    def _add(self, change: Change, event: DirectoryEvent, stored: Stored | None, *, removed: bool) -> None:
        self.events.append(event)
        owner = None
        if isinstance(event, AccountUpserted):
            if event.owner and event.owner.email:
                owner = event.owner.email.lower()
        elif stored is not None:
            owner = stored.owner_email
        record = event.model_dump(mode="json", exclude={"event_id", "recorded_at"})
        changed = Stored(record, removed, event.recorded_at, owner)
        if change.stakeholder_id is None:
            self._accounts[change.account_id] = changed
        else:
            self._people[change.account_id, change.stakeholder_id] = replace(changed, owner_email=None)


def is_visible(account: Stored | None, owner_email: str | None) -> bool:
    """Whether a caller limited to one owner's accounts may see this account; without a limit all are visible."""
    return owner_email is None or (account is not None and account.owner_email == owner_email)


async def change_records(
    tx: WriteTx, changes: Sequence[Change], now: datetime, owner_email: str | None = None
) -> list[Changed | TellbackError]:
    """Apply changes in their order; each succeeds or is refused by itself."""
    directory = await _Directory.load(tx, changes, now, owner_email)
    results: list[Changed | TellbackError] = []
    for change in changes:
        try:
            results.append(directory.apply(change))
        except (NotFound, Invalid) as error:
            results.append(error)
    await directory.save(tx)
    return results


async def change_record(tx: WriteTx, change: Change, now: datetime, owner_email: str | None = None) -> Changed:
    """Apply one change. Raises `NotFound` or `Invalid`."""
    (result,) = await change_records(tx, [change], now, owner_email)
    if isinstance(result, TellbackError):
        raise result
    return result


async def remove_record(
    tx: WriteTx, account_id: str, stakeholder_id: str | None, now: datetime, owner_email: str | None
) -> None:
    """Remove an account or a person from the directory. Raises `NotFound`."""
    change = Change(account_id, stakeholder_id, {})
    directory = await _Directory.load(tx, [change], now, owner_email)
    directory.remove(change)
    await directory.save(tx)


async def find_record(tx: ReadTx, account_id: str, stakeholder_id: str | None, owner_email: str | None) -> Changed:
    """A record of the directory. Raises `NotFound`."""
    account = (await store.accounts(tx, [account_id])).get(account_id)
    stored = account
    if stakeholder_id is not None:
        person = (account_id, stakeholder_id)
        stored = (await store.stakeholders(tx, [person])).get(person)
    if stored is None or stored.removed or not is_visible(account, owner_email):
        raise NotFound("not_found", "there is no such record")
    return Changed(_read(Change(account_id, stakeholder_id, {}), stored.record), stored.recorded_at, moved=False)


async def list_records(tx: ReadTx, account_id: str | None, wanted: Wanted) -> list[Changed]:
    """Accounts, or the people of an account, in the order of their ids, without those that the caller may not see."""
    model: type[Record]
    if account_id is None:
        model, listed = AccountRecord, await store.list_accounts(tx, wanted)
    else:
        model, listed = StakeholderRecord, await store.list_stakeholders(tx, account_id, wanted)
    return [Changed(model.model_validate(stored.record), stored.recorded_at, moved=False) for stored in listed]


def _read(change: Change, record: Mapping[str, Any]) -> Record:
    if change.stakeholder_id is None:
        return AccountRecord.model_validate(record)
    return StakeholderRecord.model_validate(record)


def _record(change: Change, merged: dict[str, Any]) -> Record:
    """The merged record. Raises `Invalid` where the merge leaves an incomplete sum of money, or too many attributes."""
    if len(merged.get("attributes") or ()) > MAX_ATTRIBUTES:
        raise refused("attributes", "too_long", f"has at most {MAX_ATTRIBUTES} attributes")
    ids = {"account_id": change.account_id}
    if change.stakeholder_id is not None:
        ids["stakeholder_id"] = change.stakeholder_id
    try:
        record = _read(change, merged | ids)
    except ValidationError:
        raise refused("annual_revenue", "incomplete", "needs amount and currency") from None
    if isinstance(record, AccountRecord) and record.parent_account_id == record.account_id:
        raise refused("parent_account_id", "own_parent", "must be another account")
    return record


def _envelope(event: DirectoryEvent) -> Event:
    event_id: UUID = event.event_id
    key = event.account_id
    if isinstance(event, StakeholderUpserted | StakeholderRemoved):
        key = f"{event.account_id}/{event.stakeholder_id}"
    return Event(event_id, _NAMES[type(event)], SOURCE, event.recorded_at, event.account_id, event, key)
