"""Which ids are one person: an address in a record, and records that are merged or parted again."""

from collections.abc import Sequence
from typing import Final

from services.collector.handlers.records import Records, as_person, unknown
from services.collector.handlers.refusals import refused
from services.collector.store import aliases
from shared.db.transaction import WriteTx
from shared.errors import Conflict
from shared.events.directory import MAX_ALIASES, MailPermission, StakeholderRecord
from shared.ids import stakeholder_of

ADDRESS_IN_USE: Final = "address_in_use"
_FILLED: Final = (
    *("name", "email", "type", "job_title", "job_level", "job_function", "location", "language", "time_zone"),
)


def address_of(email: str | None) -> str | None:
    """The id that an e-mail address is; None where there is none, or it can be no id."""
    if email is None:
        return None
    try:
        return stakeholder_of(email)
    except ValueError:
        return None


def with_address(records: Records, record: StakeholderRecord) -> tuple[StakeholderRecord, list[str]]:
    """The record with its e-mail address among its aliases, and warnings. A record that stands under the address itself
    is merged in; an address that another live record has as its e-mail stays there. Raises `Invalid` where the person
    would get too many ids."""
    account_id, address = record.account_id, address_of(record.email)
    if address is None or address == record.stakeholder_id or address in record.aliases:
        return record, []
    holder = records.own_id(account_id, address)
    other = records.person(account_id, holder)
    if other is None:
        return _with_ids(records, record, [address]), []
    theirs = as_person(other.record)
    if holder == address:
        if address_of(theirs.email) not in (None, address):
            return record, [ADDRESS_IN_USE]
        return absorbed(records, record, theirs, existed=not other.removed), []
    if not other.removed and address_of(theirs.email) == address:
        return record, [ADDRESS_IN_USE]
    taken = _with_ids(records, record, [address])
    _give_up(records, theirs, [address], removed=other.removed)
    return taken, []


def absorbed(
    records: Records, record: StakeholderRecord, other: StakeholderRecord, *, existed: bool
) -> StakeholderRecord:
    """The record with another one merged in, whose fields fill those that are empty. Raises `Invalid` where the person
    would get too many ids."""
    merged = _with_ids(records, record, [other.stakeholder_id, *other.aliases])
    records.note_merge(other, record.stakeholder_id, existed=existed)
    records.remove(other, merged_into=record.stakeholder_id)
    filled = {}
    for name in _FILLED:
        if getattr(merged, name) is None:
            filled[name] = getattr(other, name)
    filled["mail_permission"] = _permission(merged.mail_permission, other.mail_permission)
    return merged.model_copy(update=filled | {"attributes": other.attributes | merged.attributes})


def _permission(one: MailPermission, other: MailPermission) -> MailPermission:
    """The permission of two records that are one person: who refused under one id refused."""
    if "refused" in (one, other):
        return "refused"
    if one == "unknown":
        return other
    return one


async def merge(records: Records, account_id: str, stakeholder_id: str, into_id: str) -> StakeholderRecord:
    """Merge a person into another one of the account, and return the record that has the ids of both. Raises `NotFound`
    where that one is not in the directory, and `Conflict` where the two cannot be merged."""
    records.account(account_id)
    if records.own_id(account_id, into_id) != into_id:
        raise Conflict("merged_away", "the person to merge into is merged into another one: name that one")
    own_id = records.own_id(account_id, stakeholder_id)
    if own_id == into_id:
        raise Conflict("same_person", "the two are one person already")
    target, source = records.person(account_id, into_id), records.person(account_id, own_id)
    if target is None or target.removed:
        raise unknown()
    theirs = StakeholderRecord(account_id=account_id, stakeholder_id=own_id)
    if source is not None:
        theirs = as_person(source.record)
    record = as_person(target.record)
    if len(record.aliases) + 1 + len(theirs.aliases) > MAX_ALIASES:
        raise Conflict("too_many_ids", f"a person has at most {MAX_ALIASES} further ids")
    records.note_merge(theirs, into_id, existed=source is not None and not source.removed)
    records.remove(theirs, merged_into=into_id)
    merged = _with_ids(records, record, [own_id, *theirs.aliases])
    if theirs.mail_permission == "refused":
        merged = merged.model_copy(update={"mail_permission": "refused"})
    records.put(merged, records.next_time(account_id))
    return merged


async def undo(tx: WriteTx, records: Records, account_id: str, stakeholder_id: str) -> None:
    """Part a record again from the one that it was merged into, with the ids that it had. Raises `NotFound` where it is
    not merged, and `Conflict` where one of its ids is another person's by now."""
    records.account(account_id)
    done = await aliases.merge_of(tx, account_id, stakeholder_id)
    if done is None:
        raise unknown()
    ids = (stakeholder_id, *done.aliases)
    await records.load(tx, [account_id], [(account_id, stakeholder_id) for stakeholder_id in (*ids, done.into_id)])
    target = records.person(account_id, done.into_id)
    if target is None or any(records.own_id(account_id, stakeholder_id) != done.into_id for stakeholder_id in ids):
        raise Conflict("id_taken", "an id of the record is another person's by now, or theirs was merged on: part that")
    record = as_person(target.record)
    if address_of(record.email) in ids:
        raise Conflict("address_of_record", "the person has this address as e-mail: change it first")
    _give_up(records, record, ids, removed=target.removed)
    records.release(account_id, stakeholder_id)
    records.claim(account_id, done.aliases, stakeholder_id)
    restored = StakeholderRecord(account_id=account_id, stakeholder_id=stakeholder_id, aliases=done.aliases)
    if done.record is not None:
        restored = as_person(done.record)
    _rewrite(records, restored, removed=done.record is None)
    await aliases.forget_merge(tx, account_id, stakeholder_id)


def _with_ids(records: Records, record: StakeholderRecord, ids: list[str]) -> StakeholderRecord:
    further = tuple(dict.fromkeys((*record.aliases, *ids)))
    if len(further) > MAX_ALIASES:
        raise refused("email", "too_many_ids", f"a person has at most {MAX_ALIASES} further ids")
    records.claim(record.account_id, ids, record.stakeholder_id)
    return record.model_copy(update={"aliases": further})


def _give_up(records: Records, record: StakeholderRecord, ids: Sequence[str], *, removed: bool) -> None:
    left = tuple(stakeholder_id for stakeholder_id in record.aliases if stakeholder_id not in ids)
    _rewrite(records, record.model_copy(update={"aliases": left}), removed=removed)


def _rewrite(records: Records, record: StakeholderRecord, *, removed: bool) -> None:
    if removed:
        records.remove(record)
        return
    records.put(record, records.next_time(record.account_id))
