"""Answers as they come: recorded, amended, withdrawn, erased; in any order, any number of times.

What stands in the end depends on the set of events alone. A batch is folded by a handful of statements, however many
records it has; the projector works out later what it means for the figures.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.scorer.domain.history import contradictions, defect, same_person
from services.scorer.handlers import file_rows
from services.scorer.handlers.batches import Batch, Changed, Indexed, change_of
from services.scorer.handlers.erasure import Erasure
from services.scorer.handlers.pending import Pending
from services.scorer.handlers.subjects import subjects_of
from services.scorer.store import changes, dirty_accounts, erasures, pending, responses
from services.scorer.store.loads import announce_load
from shared.amendments import AMENDABLE, Change, Subject, fold, refusal
from shared.clock import Clock
from shared.db.directory import own_ids
from shared.db.transaction import WriteTx
from shared.events.files import RowVerdict
from shared.events.response_fast_reader import PlainResponse, Recorded
from shared.verdicts import CHANGE, NEW, PENDING, REPEAT, Received, Verdict, conflict, dead_letter
from shared.words import KEPT_FOR_EVER, WordRetention

LOAD_RECORDS = 1_000
"""A batch of so many comes of a backlog: projectors then stand back and leave the machine to it."""


class ResponseFold:
    """The batch handler of the topic `responses`."""

    def __init__(
        self, clock: Clock, erasure: Erasure, pending: Pending, retention: WordRetention = KEPT_FOR_EVER
    ) -> None:
        self._clock = clock
        self._retention = retention
        self._erasure = erasure
        self._pending = pending

    async def apply(self, tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        """Fold the records into the rows; the accounts touched become dirty."""
        batch = Batch(records)
        batch.imports = file_rows.imports_in(batch)
        if len(records) >= LOAD_RECORDS:
            await announce_load(tx)
        await self._record(tx, batch)
        await self._change(tx, batch)
        await refold(tx, batch.refold)
        await file_rows.count_rows(tx, batch, self._clock)
        # Erasures last: they take what this very batch has stored, whichever of the two came first.
        for index, event in batch.erased:
            batch.verdicts[index] = await self._erasure.erase(tx, event)
        await dirty_accounts.mark(tx, batch.dirty, self._clock.now(), batch.affects_from)
        return batch.settled()

    async def _record(self, tx: WriteTx, batch: Batch) -> None:
        await file_rows.drop_undone(tx, batch)
        firsts, repeats = await self._sort_out(tx, batch)
        known = await self._store(tx, batch, firsts, NEW)
        freed = await _free_undone(tx, known)
        batch.refold |= freed
        # A row of the table takes the place of another, so there are no more rows than before.
        await self._store(tx, batch, {response_id: known[response_id] for response_id in freed}, CHANGE)
        for response_id, first in known.items():
            if response_id not in freed:
                repeats.append(first)
            elif first[0] in batch.imports:
                batch.rows[first[0]] = RowVerdict("new")
        await self._compare(tx, batch, repeats)

    async def _store(
        self, tx: WriteTx, batch: Batch, firsts: Mapping[str, Indexed], verdict: Verdict
    ) -> dict[str, Indexed]:
        """Store the first records of their ids, which get this verdict; returns those whose ids are known."""
        imports = {}
        for response_id, (index, _) in firsts.items():
            if index in batch.imports:
                imports[response_id] = batch.imports[index]
        stored, awaited = await responses.insert(tx, [data for _, data in firsts.values()], imports)
        known = {}
        for response_id, first in firsts.items():
            index, data = first
            if response_id in stored:
                batch.verdicts[index] = verdict
                batch.mark_dirty(data.account_id, data.answered_at, data.recorded_at, data.quiet)
            else:
                known[response_id] = first
        await self._pending.settle(tx, awaited)
        batch.refold |= awaited
        return known

    async def _sort_out(self, tx: WriteTx, batch: Batch) -> tuple[dict[str, Indexed], list[Indexed]]:
        """The first record of each id, and those that say an id again. What an erasure has overtaken is dropped, and
        its id is taken for good, so that sending it again brings nothing back."""
        gone, dropped = await self._erasure.shadow(tx, batch.recorded)
        overtaken: set[str] = set()
        if gone:
            overtaken = {data.response_id for index, data in batch.recorded if index in gone}
        standing = await responses.owners(tx, overtaken)
        firsts: dict[str, Indexed] = {}
        repeats: list[Indexed] = []
        dropping: dict[str, str] = {}
        for recorded in batch.recorded:
            index, data = recorded
            response_id = data.response_id
            if batch.verdicts[index] is not None:
                continue
            if index in gone:
                batch.verdicts[index] = CHANGE
                if response_id not in firsts and response_id not in standing:
                    dropping[response_id] = data.account_id
            elif reason := _defect(data):
                batch.verdicts[index] = dead_letter(reason)
            elif response_id in dropped or response_id in dropping:
                batch.verdicts[index] = REPEAT
            elif response_id in firsts:
                repeats.append(recorded)
            else:
                firsts[response_id] = recorded
        await erasures.drop(tx, dropping)
        return firsts, repeats

    async def _compare(self, tx: WriteTx, batch: Batch, repeats: Iterable[Indexed]) -> None:
        """The first of an id stands; another is a repeat, or a conflict when it says something else. A row of a file
        may change the first. Words that are forgotten are not compared."""
        repeats = list(repeats)
        stored = await responses.as_recorded(tx, {data.response_id for _, data in repeats})
        people = await own_ids(tx, {(data.account_id, data.stakeholder_id) for _, data in repeats})
        now, unsaid = self._clock.now(), {}
        for response_id, first in stored.items():
            unsaid[response_id] = self._retention.unsaid(first["answered_at"], now)
        standing = []
        for index, data in repeats:
            batch.verdicts[index] = REPEAT
            if not stored[data.response_id]["erased"]:
                standing.append((index, data))
        posted, rows = file_rows.split_off(batch, standing)
        for index, data in posted:
            first = stored[data.response_id]
            person = people[data.account_id, data.stakeholder_id]
            sent = set(_sent(data)) - unsaid[data.response_id]
            differing = contradictions(sent, same_person(_as_stored(data), first, person), first)
            if differing:
                batch.verdicts[index] = conflict("response_id_taken", f"differs in {', '.join(differing)}")
        await file_rows.take_rows(tx, batch, rows, stored, people, unsaid)

    async def _change(self, tx: WriteTx, batch: Batch) -> None:
        if not batch.changed:
            return
        about = [(data.response_id, change_of(data)) for _, data in batch.changed]
        response_ids = {response_id for response_id, _ in about}
        owners = await responses.owners(tx, response_ids)
        subjects = await subjects_of(tx, owners, about)
        dropped = await self._erasure.dropped(tx, response_ids)
        arrived = {data.response_id: index for index, data in batch.recorded if batch.verdicts[index] is NEW}
        taken: dict[object, tuple[int, Changed]] = {}
        for index, data in batch.changed:
            owner = owners.get(data.response_id)
            if data.response_id in dropped:
                batch.verdicts[index] = CHANGE
                continue
            if owner is not None and (verdict := _refused(data, owner, subjects[data.response_id])):
                batch.verdicts[index] = verdict
                continue
            # Which record of a batch came first must not depend on where the batch was cut.
            here = owner is not None and arrived.get(data.response_id, index) <= index
            if data.event_id in taken:
                first, recorded_first = taken[data.event_id]
                batch.verdicts[index] = REPEAT
                if data.recorded_at < recorded_first.recorded_at:
                    taken[data.event_id] = (first, data)
                continue
            taken[data.event_id] = (index, data)
            if here:
                batch.verdicts[index] = CHANGE
            else:
                batch.verdicts[index] = PENDING
        await _store_changes(tx, batch, list(taken.values()), owners)


async def _free_undone(tx: WriteTx, known: Mapping[str, Indexed]) -> set[str]:
    """Of these ids, those whose response was undone with its import before the record: it is the first again. What
    clients have changed about the response still counts, what files have said does not."""
    if not known:
        return set()
    freed = await responses.free_undone(tx, {data.response_id: data.recorded_at for _, data in known.values()})
    if freed:
        await changes.forget_of_files(tx, freed)
    return freed


async def _store_changes(
    tx: WriteTx, batch: Batch, changed: Sequence[tuple[int, Changed]], owners: Mapping[str, Mapping[str, Any]]
) -> None:
    """Store changes with differing event ids; those whose response is not there wait for it."""
    inserted = await changes.insert(tx, [(data.response_id, change_of(data)) for _, data in changed])
    early = []
    for index, data in changed:
        owner = owners.get(data.response_id)
        if owner is not None:
            batch.refold.add(data.response_id)
            batch.mark_dirty(owner["account_id"], owner["answered_at"], owner["recorded_at"], owner["quiet"])
        if data.event_id not in inserted:
            batch.verdicts[index] = REPEAT
        elif owner is None:
            early.append((data.response_id, change_of(data), batch.records[index]))
    await pending.insert(tx, early)


async def refold(tx: WriteTx, response_ids: Iterable[str]) -> None:
    """Work out the live columns of responses from what was first recorded and all their changes."""
    rows = await responses.lock(tx, response_ids)
    if not rows:
        return
    by_id = {row["response_id"]: row for row in rows}
    found = await changes.by_response(tx, by_id)
    about: list[tuple[str, Change]] = []
    for response_id, changed in found.items():
        for change in changed:
            about.append((response_id, change))
    subjects = await subjects_of(tx, by_id, about)
    live_rows = []
    for response_id, row in by_id.items():
        live, base = fold(subjects[response_id], found.get(response_id, ())), row["base"] or {}
        first = {name: row[name] for name in AMENDABLE} | base
        columns = {
            "base": {name: first[name] for name in live.values},
            "answers_changed": "answers" in live.values or "answers" in base,
            "withdrawn": live.withdrawn,
            "revision": 1 + live.fitted,
            "updated_at": max(filter(None, (row["recorded_at"], live.changed_at))),
            "undone_at": live.undone_at,
            "changed_quietly": live.quiet,
        }
        live_rows.append(row | first | dict(live.values) | columns)
    await responses.update_live(tx, live_rows)


def _refused(data: Changed, owner: Mapping[str, Any], subject: Subject) -> Verdict | None:
    """The verdict on a change that cannot count for the response that is there."""
    if owner["erased"] and owner["account_id"] == data.account_id:
        return CHANGE
    reason = refusal(subject, change_of(data))
    if reason is None:
        return None
    return conflict(reason)


def _defect(data: Recorded) -> str | None:
    entries: Sequence[dict[str, Any]] = ()
    if data.answers:
        entries = _entries(data)
    return defect(data.survey_type, data.score, data.answered_at, entries)


def _as_stored(data: Recorded) -> dict[str, Any]:
    return data.model_dump() | {"answers": _entries(data)}


def _entries(data: Recorded) -> list[dict[str, Any]]:
    return [entry.model_dump() for entry in data.answers]


def _sent(data: Recorded) -> Iterable[str]:
    """What the client sent; a producer that does not say so, which is never plain, has sent what it set."""
    if isinstance(data, PlainResponse):
        return data.sent
    return data.sent or data.model_fields_set
