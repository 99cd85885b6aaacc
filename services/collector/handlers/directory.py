"""The directory: complete records, merged under the account's lock and published by the same transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from services.collector.domain.doubles import Double, likely_doubles
from services.collector.domain.merging import merge_patch
from services.collector.handlers import identities
from services.collector.handlers.identities import address_of
from services.collector.handlers.inputs.directory import AccountItem, Seen, StakeholderItem
from services.collector.handlers.inputs.fields import MAX_ATTRIBUTES
from services.collector.handlers.records import Records, as_account, as_person, is_visible, unknown
from services.collector.handlers.refusals import refused
from services.collector.handlers.responses import who
from services.collector.store import aliases
from services.collector.store import directory as store
from services.collector.store.directory import Person, Stored, Wanted
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Invalid, NotFound, TellbackError
from shared.events.directory import AccountRecord, PreviousLine, StakeholderRecord

Record = AccountRecord | StakeholderRecord


MOST_DOUBLES = 200
_NEEDS: Mapping[str, str] = {"annual_revenue": "needs amount and currency", "do_not_ask": "needs a reason"}
"""Members of which a merge may bring a part."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one record: merge `members` into the record; with `whole` into an empty one (PUT); with `existing`
    only if it exists (PATCH). `seen`: only while the record is the one that its sender has seen."""

    account_id: str
    stakeholder_id: str | None
    members: Mapping[str, Any]
    whole: bool = False
    existing: bool = False
    seen: Seen | None = None

    @classmethod
    def of(cls, item: AccountItem | StakeholderItem) -> "Change":
        """The merge that a row of a batch or a file stands for."""
        person = None
        if isinstance(item, StakeholderItem):
            person = who(item.stakeholder_id, item.email)
        return cls(item.account_id, person, item.members(), seen=item.seen())

    def people(self) -> Iterable[Person]:
        """Whose records and ids the change may concern."""
        if self.stakeholder_id is None:
            return
        yield self.account_id, self.stakeholder_id
        address = address_of(self.members.get("email"))
        if address is not None:
            yield self.account_id, address
        previous = self.members.get("previous")
        if previous:
            yield previous["account_id"], previous["stakeholder_id"]


@dataclass(frozen=True, slots=True)
class Changed:
    """A record after its change, with warnings as codes; `moved` is False if the change made no difference."""

    record: Record
    recorded_at: datetime
    moved: bool
    warnings: Sequence[str] = ()


async def change_records(
    tx: WriteTx, changes: Sequence[Change], now: datetime, owner_email: str | None = None
) -> list[Changed | TellbackError]:
    """Apply changes in their order; each succeeds or is refused by itself."""
    records = Records(now, owner_email)
    account_ids: set[str] = set()
    people: set[Person] = set()
    parents: set[str] = set()
    for change in changes:
        account_ids.add(change.account_id)
        people.update(change.people())
        if change.members.get("parent_account_id"):
            parents.add(change.members["parent_account_id"])
    account_ids.update(account_id for account_id, _ in people)
    await records.load(tx, account_ids, people, parents)
    results: list[Changed | TellbackError] = []
    for change in changes:
        try:
            results.append(_apply(records, change))
        except (NotFound, Invalid, Conflict) as error:
            results.append(error)
    await records.save(tx)
    return results


async def change_record(tx: WriteTx, change: Change, now: datetime, owner_email: str | None = None) -> Changed:
    """Apply one change. Raises `NotFound`, `Invalid`, or `Conflict` where another record was seen."""
    (result,) = await change_records(tx, [change], now, owner_email)
    if isinstance(result, TellbackError):
        raise result
    return result


async def remove_record(
    tx: WriteTx, account_id: str, stakeholder_id: str | None, now: datetime, owner_email: str | None
) -> None:
    """Remove an account or a person from the directory. Raises `NotFound`."""
    change = Change(account_id, stakeholder_id, {})
    records = Records(now, owner_email)
    await records.load(tx, [account_id], change.people())
    record = _present(change, _stored(records, change))
    if record is None:
        raise unknown()
    records.remove(record)
    await records.save(tx)


async def merge_people(
    tx: WriteTx, account_id: str, ids: tuple[str, str], now: datetime, owner_email: str | None, *, dry_run: bool
) -> StakeholderRecord:
    """Merge the first person into the second, or only see what would come of it. Raises `NotFound` and `Conflict`."""
    records = Records(now, owner_email)
    await records.load(tx, [account_id], [(account_id, stakeholder_id) for stakeholder_id in ids])
    merged = await identities.merge(records, account_id, *ids)
    if not dry_run:
        await records.save(tx)
    return merged


async def part_people(
    tx: WriteTx, account_id: str, stakeholder_id: str, now: datetime, owner_email: str | None
) -> None:
    """Undo the merge of a person. Raises `NotFound` and `Conflict`."""
    records = Records(now, owner_email)
    await records.load(tx, [account_id], [(account_id, stakeholder_id)])
    await identities.undo(tx, records, account_id, stakeholder_id)
    await records.save(tx)


async def doubles_of(tx: ReadTx, account_id: str, owner_email: str | None) -> list[Double]:
    """The likely doubles at an account. Raises `NotFound` for one that the caller may not see."""
    account = (await store.accounts(tx, [account_id])).get(account_id)
    if not is_visible(account, owner_email):
        raise unknown()
    return likely_doubles(await store.people_of(tx, account_id), MOST_DOUBLES)


def _apply(records: Records, change: Change) -> Changed:
    """Merge a change. Raises `NotFound`, `Conflict`, and `Invalid` for an inconsistent record."""
    stored = _stored(records, change)
    present = _present(change, stored)
    if change.existing and present is None:
        raise unknown()
    _require_seen(change, stored, present)
    base: Mapping[str, Any] = {}
    if present is not None and not change.whole:
        base = present.model_dump(mode="json")
    record = _record(change, merge_patch(base, change.members))
    at = records.next_time(change.account_id)
    warnings: list[str] = []
    if isinstance(record, StakeholderRecord):
        left = _left_behind(records, change, record.previous)
        record, warnings = _as_person_of(records, change, record, at)
        if left is not None:
            records.remove(left)
    else:
        _refuse_circle(records, record)
    if stored is not None and record == present:
        return Changed(record, stored.recorded_at, moved=False, warnings=warnings)
    records.put(record, at)
    return Changed(record, at, moved=True, warnings=warnings)


def _require_seen(change: Change, stored: Stored | None, present: Record | None) -> None:
    if change.seen is None:
        return
    recorded_at = None
    if stored is not None and present is not None:
        recorded_at = stored.recorded_at
    if recorded_at != change.seen.recorded_at:
        raise Conflict("changed_meanwhile", "the record is not the one that was seen: look at it again")


def _as_person_of(
    records: Records, change: Change, record: StakeholderRecord, at: datetime
) -> tuple[StakeholderRecord, list[str]]:
    """The record under the person's own id, with the ids that they have and the one that their address is. Where they
    were before is kept until a change names it."""
    own_id = records.own_id(record.account_id, record.stakeholder_id)
    kept: dict[str, Any] = {"stakeholder_id": own_id}
    stored = records.person(record.account_id, own_id)
    if stored is not None:
        before = as_person(stored.record)
        kept |= {"aliases": before.aliases, "email_changed_at": before.email_changed_at}
        if address_of(before.email) not in (None, address_of(record.email)):
            kept["email_changed_at"] = at
        if "previous" not in change.members:
            kept["previous"] = before.previous
    record = record.model_copy(update=kept)
    if "email" not in change.members:
        return record, []  # whose the address is has not been read
    return identities.with_address(records, record)


def _left_behind(records: Records, change: Change, previous: PreviousLine | None) -> StakeholderRecord | None:
    """The record at another account, which the person leaves by this change. Raises `Invalid` for their own account,
    and `NotFound` for one that the caller may not see."""
    if previous is None or "previous" not in change.members:
        return None
    if previous.account_id == change.account_id:
        raise refused("previous.account_id", "same_account", "must be another account: merge the two people instead")
    records.account(previous.account_id)
    own_id = records.own_id(previous.account_id, previous.stakeholder_id)
    before = records.person(previous.account_id, own_id)
    if before is None or before.removed:
        return None
    return as_person(before.record)


def _refuse_circle(records: Records, record: AccountRecord) -> None:
    parent = record.parent_account_id
    if parent == record.account_id:
        raise refused("parent_account_id", "own_parent", "must be another account")
    if parent is not None and records.is_above(record.account_id, parent):
        raise refused("parent_account_id", "parent_circle", "must not stand below this account")


def _stored(records: Records, change: Change) -> Stored | None:
    """The stored record of the account or the person. Raises `NotFound` where the caller may not see the account."""
    account = records.account(change.account_id)
    if change.stakeholder_id is None:
        return account
    return records.person(change.account_id, records.own_id(change.account_id, change.stakeholder_id))


def _present(change: Change, stored: Stored | None) -> Record | None:
    if stored is None or stored.removed:
        return None
    return _read(change, stored.record)


async def find_record(tx: ReadTx, account_id: str, stakeholder_id: str | None, owner_email: str | None) -> Changed:
    """A record of the directory. Raises `NotFound`."""
    account = (await store.accounts(tx, [account_id])).get(account_id)
    stored = account
    if stakeholder_id is not None:
        person = (account_id, stakeholder_id)
        own_id = (await aliases.holders(tx, [person])).get(person, stakeholder_id)
        stored = (await store.stakeholders(tx, [(account_id, own_id)])).get((account_id, own_id))
    if stored is None or stored.removed or not is_visible(account, owner_email):
        raise unknown()
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
        return as_account(record)
    return as_person(record)


def _record(change: Change, merged: dict[str, Any]) -> Record:
    """The merged record. Raises `Invalid` where the merge leaves an incomplete sum of money, a pause without a reason,
    or too many attributes."""
    if len(merged.get("attributes") or ()) > MAX_ATTRIBUTES:
        raise refused("attributes", "too_long", f"has at most {MAX_ATTRIBUTES} attributes")
    ids = {"account_id": change.account_id}
    if change.stakeholder_id is not None:
        ids["stakeholder_id"] = change.stakeholder_id
    try:
        return _read(change, merged | ids)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise refused(field, "incomplete", _NEEDS[field]) from None
