"""Erasure in the tables that every service has: the journal of erased people and accounts, and the deletion of their
rows in the outbox and among parked records.

Each service that reads facts about people keeps a journal `erasures`, an entry for each id of a person: receipt_id,
subject, account_id, erased_at, applied_at, and counts of its own. While an erasure is pending, applied_at is null and
stakeholder_id names the person, so that reads can leave them out; once it is applied, the person is a keyed hash only.
An erased account is one entry, which stands for everybody at it; its id names nobody, so it is kept as it is.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from shared.db.sql import comma_list
from shared.db.transaction import ReadTx, WriteTx
from shared.erasure import Subject
from shared.events.responses import ErasedId, StakeholderErased
from shared.identity import canonical_stakeholder_id
from shared.topics import STAKEHOLDER_ERASED
from shared.verdicts import CHANGE, REPEAT, BatchHandler, Received, Verdict

Person = tuple[str, str, datetime]
"""account_id, stakeholder_id and when the fact about them was recorded, or when it happened, if that was earlier."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def visible(table: str) -> str:
    """The SQL condition that no erasure is pending for the person (account_id, stakeholder_id) of a row of `table` (or
    alias). An index of the pending erasures, normally empty, answers it."""
    return (
        "not exists (select from erasures waiting where waiting.applied_at is null"
        f" and waiting.account_id = {table}.account_id and waiting.stakeholder_id = {table}.stakeholder_id)"
    )


def nobody_waits(account_id: str) -> str:
    """The SQL condition that no erasure is pending for anybody of an account (`account_id` is a column): until then no
    event about the account leaves. The accounts concerned, normally none, are read once a statement."""
    waiting = "select waiting.account_id from erasures waiting where waiting.applied_at is null"
    return f"({account_id} is null or {account_id} <> all (array({waiting})))"


def account_subject(account_id: str) -> str:
    """The name under which the journal has an erased account; no keyed hash looks like it."""
    return f"account {account_id}"


class Journal:
    """The journal of pending and applied erasures, and the test whether an erasure has overtaken a fact."""

    def __init__(self, *subjects: Subject) -> None:
        """`subjects`: the keyed hash under each of the deployment's keys, since an entry stays under the one that it
        was made with."""
        self._subjects = subjects

    async def overtaken(self, tx: ReadTx, people: Sequence[Person]) -> Sequence[bool]:
        """For each fact whether it was recorded, or happened, at or before an erasure of its person or account: what
        waited elsewhere meanwhile does not come back."""
        if not people or not await tx.scalar("select exists (select 1 from erasures)"):
            return [False] * len(people)
        subjects = []
        for account_id, stakeholder_id, _ in people:
            hashes = [subject(account_id, stakeholder_id) for subject in self._subjects]
            subjects.append([*hashes, account_subject(account_id)])
        rows = await tx.all(
            "select subject, max(erased_at) as erased_at from erasures where subject = any(cast(:subjects as text[]))"
            " group by subject",
            subjects=sorted(set(chain.from_iterable(subjects))),
        )
        erasures: dict[str, datetime] = {row["subject"]: row["erased_at"] for row in rows}
        overtaken = []
        for hashes, (_, _, at) in zip(subjects, people, strict=True):
            overtaken.append(any(at <= erasures[subject] for subject in hashes if subject in erasures))
        return overtaken

    @staticmethod
    async def any_since(tx: ReadTx, since: datetime) -> bool:
        """Whether anybody was erased after a moment."""
        found: bool = await tx.scalar("select exists (select 1 from erasures where erased_at > :since)", since=since)
        return found

    @staticmethod
    async def hide(tx: WriteTx, event: StakeholderErased) -> None:
        """Note a pending erasure, which cannot be applied yet: from the commit on reads leave the person out, and facts
        of before its time are overtaken. Idempotent."""
        rows = []
        for erased in event.every_id():
            rows.append(_entry(event, erased) | {"stakeholder_id": erased.stakeholder_id})
        await tx.execute_many(
            "insert into erasures (receipt_id, subject, account_id, stakeholder_id, erased_at)"
            " values (:receipt_id, :subject, :account_id, :stakeholder_id, :erased_at) on conflict do nothing",
            sorted(rows, key=_by_subject),
        )

    @staticmethod
    async def waiting(tx: ReadTx, account_id: str) -> Collection[str]:
        """The people of the account with a pending erasure, for code that cannot use the SQL condition `visible`."""
        return await tx.column(
            "select stakeholder_id from erasures where applied_at is null and account_id = :account_id",
            account_id=account_id,
        )

    @staticmethod
    async def known(tx: ReadTx, event: StakeholderErased) -> bool:
        """Whether this erasure has been applied; False while it is pending."""
        statement = (
            "select exists (select from erasures where receipt_id = :receipt_id and subject = :subject"
            " and applied_at is not null)"
        )
        return bool(await tx.scalar(statement, receipt_id=event.receipt_id, subject=event.subject))

    @staticmethod
    async def applied(tx: WriteTx, event: StakeholderErased, applied_at: datetime, **counts: int) -> None:
        """Note an erasure as applied, whether or not it was pending: an entry for each id of the person. `counts` are
        the journal's own columns, and stand with the id that was named. What the person has at other accounts is
        pending until the event of that account is here."""
        names = ("receipt_id", "subject", "account_id", "stakeholder_id", "erased_at", "applied_at", *counts)
        changes = comma_list("{0} = excluded.{0}", ("stakeholder_id", "applied_at", *counts))
        rows = []
        for erased in event.every_id():
            rows.append(_entry(event, erased) | {"stakeholder_id": None, "applied_at": applied_at})
        rows[0] |= counts
        for account_id, erased in event.elsewhere():
            pending = {"account_id": account_id, "stakeholder_id": erased.stakeholder_id, "applied_at": None}
            rows.append(_entry(event, erased) | pending)
        none = dict.fromkeys(counts, 0)
        await tx.execute_many(
            f"insert into erasures ({', '.join(names)}) values ({comma_list(':{0}', names)})"
            f" on conflict (receipt_id, subject) do update set {changes} where excluded.applied_at is not null",
            [none | row for row in sorted(rows, key=_by_subject)],
        )

    @staticmethod
    async def receipt(
        tx: ReadTx, receipt_id: UUID, owner_email: str | None, counts: Sequence[str]
    ) -> RowMapping | None:
        """The journal's entries of one erasure as one: receipt_id, erased_at, applied_at (None while one is pending),
        the `counts`, and how many ids it took. None before the erasure has arrived, and for a caller who is limited to
        the accounts of another owner."""
        sums = ", ".join(f"cast(sum({name}) as int) as {name}" for name in counts)
        return await tx.one(
            "select receipt_id, max(erased_at) as erased_at,"
            f" case when count(applied_at) = count(*) then max(applied_at) end as applied_at, {sums},"
            " cast(count(*) as int) as ids from erasures"
            " where receipt_id = :receipt_id and (cast(:owner_email as text) is null"
            " or account_id in (select account_id from accounts where owner_email = :owner_email))"
            " group by receipt_id",
            receipt_id=receipt_id,
            owner_email=owner_email,
        )


def erase_each(erase: Callable[[WriteTx, StakeholderErased], Awaitable[None]]) -> BatchHandler:
    """The handler of stakeholder.erased: `erase` works off one erasure and notes it in the journal. It is called once
    for each, under the lock of its account, so that nothing is made of what was read before."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        await tx.lock_accounts({record.event.account_id for record in records})
        verdicts = []
        for record in records:
            data = record.event.data
            if not isinstance(data, StakeholderErased):
                raise TypeError(f"not an erasure: {record.event.name}")
            if await Journal.known(tx, data):
                verdicts.append(REPEAT)
            else:
                await erase(tx, data)
                verdicts.append(CHANGE)
        return verdicts

    return handle


def _by_subject(row: Mapping[str, Any]) -> str:
    """The order in which entries are written: the events of one erasure at two accounts write the same ones, and would
    wait for each other in a circle."""
    subject: str = row["subject"]
    return subject


def _entry(event: StakeholderErased, erased: ErasedId) -> dict[str, Any]:
    return event.model_dump(include={"receipt_id", "account_id", "erased_at"}) | {"subject": erased.subject}


def person_in(value: bytes | None) -> Person | None:
    """The person that the value of a record is about; None where it names nobody. A time that cannot be read counts as
    long ago."""
    try:
        data = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    account_id, stakeholder_id, email = data.get("account_id"), data.get("stakeholder_id"), data.get("email")
    if not isinstance(stakeholder_id, str) and isinstance(email, str):
        stakeholder_id = email.lower()
    if not isinstance(account_id, str) or not isinstance(stakeholder_id, str):
        return None
    at = _time(data.get("recorded_at"))
    for name in ("answered_at", "at"):
        if name in data:
            at = min(at, _time(data[name]))
    return account_id, canonical_stakeholder_id(stakeholder_id), at


def _time(text: object) -> datetime:
    if not isinstance(text, str):
        return _LONG_AGO
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _LONG_AGO
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An erased person, and the time up to which facts about them are deleted."""

    account_id: str
    stakeholder_id: str
    until: datetime

    def concerns(self, value: bytes) -> bool:
        """Whether the value of a record is about the person. A value that cannot be read counts if it contains the
        id."""
        person = person_in(value)
        if person is None:
            return any(needle in value for needle in self.needles())
        return person[:2] == (self.account_id, self.stakeholder_id) and person[2] <= self.until

    def needles(self) -> tuple[bytes, bytes]:
        """The id as JSON writes it, in UTF-8 and in ASCII."""
        in_utf8 = json.dumps(self.stakeholder_id, ensure_ascii=False).encode()
        in_ascii = json.dumps(self.stakeholder_id).encode()
        return in_utf8, in_ascii


async def forget_outbox(tx: WriteTx, person: Forgotten) -> int:
    """Delete the person's events from the outbox, also unpublished ones: every reader would drop them. Returns how
    many. The event of an erasure itself always leaves."""
    return await _forget(
        tx, person, "outbox", f"published_at is not null or position('{STAKEHOLDER_ERASED}'::bytea in headers) = 0"
    )


async def forget_parked(tx: WriteTx, person: Forgotten) -> int:
    """Delete the person's dead letters and conflicts; returns how many. Another pending erasure of the person stays,
    since it has a receipt of its own."""
    return await _forget(tx, person, "parked", f"must_apply is distinct from '{STAKEHOLDER_ERASED}'")


async def forget_parked_answers(tx: WriteTx, account_id: str, response_ids: Sequence[str]) -> None:
    """Delete parked records about the answers of an erased person: an amendment may name the answer alone."""
    await tx.execute(
        "delete from parked where account_id = :account_id and exists (select from"
        " unnest(cast(:written as bytea[])) as named(id) where position(named.id in value) > 0)",
        account_id=account_id,
        written=[json.dumps(response_id, ensure_ascii=False).encode() for response_id in response_ids],
    )


async def _forget(tx: WriteTx, person: Forgotten, table: str, where: str) -> int:
    utf8, ascii_only = person.needles()
    rows = await tx.all(
        f"select id, value from {table} where ({where})"
        " and (account_id = :account_id or account_id = '' or account_id is null)"
        " and (position(cast(:utf8 as bytea) in value) > 0 or position(cast(:ascii_only as bytea) in value) > 0)",
        account_id=person.account_id,
        utf8=utf8,
        ascii_only=ascii_only,
    )
    ids = [str(row["id"]) for row in rows if person.concerns(bytes(row["value"]))]
    return await tx.execute(f"delete from {table} where cast(id as text) = any(cast(:ids as text[]))", ids=ids)
