"""Topic responses: when people answered last, and which asks are answered, whoever posted the answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.outreach.domain.asks import ask_id_in
from services.outreach.store import asks, contacts
from services.outreach.store.contacts import KnownAnswer
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.files import import_of
from shared.events.response_fast_reader import PlainResponse
from shared.events.responses import ImportUndone, ResponseAmended, ResponseRecorded, ResponseWithdrawn
from shared.verdicts import CHANGE, NEW, REPEAT, BatchHandler, Received, Verdict


def read_answers(journal: Journal) -> BatchHandler:
    """The handler of response.recorded, response.amended and response.withdrawn."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        await tx.lock_accounts({record.event.account_id for record in records})
        events = [record.event for record in records]
        recorded = list(filter(_is_recorded, events))
        kept = await _not_erased(tx, journal, recorded)
        new = await contacts.record_answers(tx, list(kept.values()))
        await _mark_answered(tx, [event for event in recorded if _key(event) in kept])
        tests, withdrawn = [], set()
        for event in events:
            data = event.data
            if isinstance(data, ResponseAmended) and isinstance(data.changes.get("test"), bool) and not data.posted:
                tests.append(_test(data))
            elif isinstance(data, ResponseWithdrawn):
                withdrawn.add((data.account_id, data.response_id))
        await contacts.note_test(tx, tests)
        await contacts.withdraw_answers(tx, withdrawn)
        verdicts = []
        for event in events:
            verdicts.append(_verdict(event, kept, new))
        return verdicts

    return handle


def undo_imports() -> BatchHandler:
    """The handler of import.undone."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        for record in records:
            data = record.event.data
            if not isinstance(data, ImportUndone):
                raise TypeError(f"not the undoing of an import: {record.event.name}")
            await contacts.undo_import(tx, data.account_id, data.import_id)
        return [CHANGE] * len(records)

    return handle


async def _not_erased(tx: WriteTx, journal: Journal, recorded: Sequence[Event]) -> dict[Any, KnownAnswer]:
    """The answers that no erasure has overtaken, by (account, response); of several the one that was recorded first.
    An answer given before an erasure is overtaken by it, however late it was recorded."""
    people = []
    for event in recorded:
        data: Any = event.data
        people.append((data.account_id, data.stakeholder_id, min(data.answered_at, data.recorded_at)))
    overtaken = await journal.overtaken(tx, people)
    kept: dict[Any, KnownAnswer] = {}
    for event, erased in zip(recorded, overtaken, strict=True):
        answer = _known(event)
        key = answer.account_id, answer.response_id
        if not erased and (key not in kept or answer.recorded_at < kept[key].recorded_at):
            kept[key] = answer
    return kept


async def _mark_answered(tx: WriteTx, recorded: Sequence[Event]) -> None:
    """Mark the asks that were answered. One whose sending nobody has told of was sent at that moment at the latest."""
    answered: dict[UUID, tuple[str, datetime]] = {}
    for event in recorded:
        data: Any = event.data
        ask_id = ask_id_in(data.invitation_id)
        if ask_id is not None and not data.test:
            at = data.answered_at
            if ask_id in answered:
                at = min(at, answered[ask_id][1])
            answered[ask_id] = data.account_id, at
    waiting, moments = {}, {}
    for ask_id, row in (await asks.own_asks(tx, answered.keys())).items():
        account_id, at = answered[ask_id]
        if row["account_id"] == account_id and row["state"] in ("waiting", "sent"):
            moments[ask_id] = at
            if row["state"] == "waiting":
                waiting[ask_id] = at
    if waiting:
        await asks.mark_sent(tx, waiting, waiting_only=True)
    if moments:
        await asks.mark(tx, "answered_at", moments)


def _is_recorded(event: Event) -> bool:
    return isinstance(event.data, PlainResponse | ResponseRecorded)


def _known(event: Event) -> KnownAnswer:
    data: Any = event.data
    return KnownAnswer(
        data.account_id,
        data.response_id,
        data.stakeholder_id,
        data.nps_kind,
        data.answered_at,
        data.recorded_at,
        import_of(event.file),
        data.test,
    )


def _test(data: ResponseAmended) -> dict[str, Any]:
    return {
        "account_id": data.account_id,
        "response_id": data.response_id,
        "test": data.changes["test"],
        "at": data.recorded_at,
    }


def _key(event: Event) -> tuple[str, str]:
    data: Any = event.data
    return data.account_id, data.response_id


def _verdict(event: Event, kept: dict[Any, KnownAnswer], new: set[tuple[str, str]]) -> Verdict:
    if not _is_recorded(event) or _key(event) not in kept:
        return CHANGE
    if _key(event) in new:
        new.discard(_key(event))
        return NEW
    return REPEAT
