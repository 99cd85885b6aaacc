"""What is known beside the answers: invitations, context events and the directory."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.scorer.domain.answer_changes import FRESH
from services.scorer.handlers.erasure import Erasure
from services.scorer.store import dirty_accounts, facts
from shared.clock import Clock
from shared.db.account_erasures import erased_accounts
from shared.db.directory import keep_directory
from shared.db.transaction import WriteTx
from shared.events.context import ContextRecorded
from shared.events.invitations import InvitationFact
from shared.verdicts import CHANGE, NEW, REPEAT, Outcome, Received, Verdict


class Facts:
    """The batch handlers of the topics `invitations`, `context-events` and `directory`."""

    def __init__(self, clock: Clock, erasure: Erasure) -> None:
        self._clock = clock
        self._erasure = erasure

    async def invited(self, tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        """Write down how far invitations came. Of one kind the first moment counts, so facts may come in any order
        and any number of times: NEW where something was learned, else REPEAT."""
        events = list(map(_invitation, records))
        people = [(event.account_id, event.stakeholder_id, min(event.recorded_at, event.at)) for event in events]
        overtaken = await self._erasure.overtaken(tx, people)
        # First the accounts become dirty, then the invitations are locked, in every batch: the other way round two of
        # them would wait for each other.
        kept = {event.account_id: False for event, erased in zip(events, overtaken, strict=True) if not erased}
        await dirty_accounts.mark(tx, kept, self._clock.now(), _affects_from(events))
        stored = await facts.lock_invitations(tx, set(map(_key, events)))
        verdicts: list[Verdict] = []
        touched = {}
        for event, erased in zip(events, overtaken, strict=True):
            if erased:
                verdicts.append(CHANGE)
                continue
            before = stored.get(_key(event), {})
            after = _learned(before, event)
            if _says(after) == _says(before):
                verdicts.append(REPEAT)
            else:
                verdicts.append(NEW)
            if after != before:
                stored[_key(event)] = touched[_key(event)] = after
        await facts.save_invitations(tx, list(touched.values()))
        return verdicts

    async def happened(self, tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        """Write down context events; of equal event ids the first stands. No figure depends on them."""
        events = list(map(_context, records))
        people = [(event.account_id, event.stakeholder_id or "", min(event.recorded_at, event.at)) for event in events]
        overtaken = await self._erasure.overtaken(tx, people)
        firsts: dict[Any, int] = {}
        for index, (event, erased) in enumerate(zip(events, overtaken, strict=True)):
            if not erased:
                firsts.setdefault(event.event_id, index)
        stored = await facts.insert_context(tx, [events[index] for index in firsts.values()])
        verdicts = []
        for index, (event, erased) in enumerate(zip(events, overtaken, strict=True)):
            if erased:
                verdicts.append(CHANGE)
            elif event.event_id in stored and firsts[event.event_id] == index:
                verdicts.append(NEW)
            else:
                verdicts.append(REPEAT)
        return verdicts

    async def described(self, tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        """Keep the copy of the directory; dirty are the accounts whose attributes or people changed."""
        people = []
        for record in records:
            data: Any = record.event.data
            people.append((data.account_id, getattr(data, "stakeholder_id", ""), data.recorded_at))
        overtaken = await self._erasure.overtaken(tx, people)
        kept = [record for record, erased in zip(records, overtaken, strict=True) if not erased]
        applied = iter(await keep_directory(tx, kept))
        verdicts: list[Verdict] = []
        touched = set()
        for record, erased in zip(records, overtaken, strict=True):
            verdict = CHANGE
            if not erased:
                verdict = next(applied)
            if verdict.outcome is Outcome.CHANGE:
                touched.add(record.event.account_id)
            verdicts.append(verdict)
        for account in erased_accounts(records, verdicts):
            await self._erasure.erase_account(tx, account)
        # A new role can change the class of an account. That is published only where somebody answered lately: an
        # import of the directory after one of old answers must raise nothing.
        now = self._clock.now()
        answered: set[str] = set()
        if touched:
            answered = await facts.answered_recently(tx, touched, now - FRESH)
        await dirty_accounts.mark(tx, {account_id: account_id in answered for account_id in touched}, now)
        return verdicts


def _learned(before: dict[str, Any], event: InvitationFact) -> dict[str, Any]:
    """The invitation with this fact in it: of two values the smaller, whichever came first."""
    fact: dict[str, Any] = event.model_dump(exclude={"event_id", "kind", "at", "reason"})
    fact |= {f"{event.kind}_at": event.at}
    if event.reason == "withdrawn":
        fact["withdrawn_at"] = event.at
    after = dict(before)
    for name, value in fact.items():
        if value is None:
            continue
        if after.get(name) is None or value < after[name]:
            after[name] = value
    return after


def _affects_from(events: Sequence[InvitationFact]) -> dict[str, datetime]:
    """account_id -> the first moment that a fact of it is of: of two moments for one step the earlier counts, so that
    nothing before it is another."""
    found: dict[str, datetime] = {}
    for event in events:
        found[event.account_id] = min(event.at, found.get(event.account_id, event.at))
    return found


def _says(row: dict[str, Any]) -> dict[str, Any]:
    """What is known of an invitation, without when that was recorded."""
    return {name: value for name, value in row.items() if name != "recorded_at"}


def _key(event: InvitationFact) -> facts.InvitationKey:
    return event.account_id, event.invitation_id, event.stakeholder_id


def _invitation(record: Received) -> InvitationFact:
    data = record.event.data
    if not isinstance(data, InvitationFact):
        raise TypeError(f"not an invitation event: {record.event.name}")
    return data


def _context(record: Received) -> ContextRecorded:
    data = record.event.data
    if not isinstance(data, ContextRecorded):
        raise TypeError(f"not a context event: {record.event.name}")
    return data
