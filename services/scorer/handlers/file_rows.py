"""Rows of imported files: what they change about responses that are known, and what is counted of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.scorer.handlers.batches import Batch, Indexed, change_of
from services.scorer.handlers.subjects import subjects_of
from services.scorer.store import changes, import_rows
from services.scorer.store.import_rows import Line, Part
from shared.amendments import Change
from shared.clock import Clock
from shared.db.parked import Dropped
from shared.db.transaction import ReadTx, WriteTx
from shared.events.files import Origin, RowOutcome, RowVerdict, compared, import_of, judge, origin_in
from shared.verdicts import CHANGE, NEW, REPEAT, Outcome, Verdict, conflict

GONE = RowVerdict("gone")
Row = tuple[int, Any, Origin]
"""The index of a record in its batch, its data, and the row that it is made of."""


def imports_in(batch: Batch) -> dict[int, UUID]:
    """The imports of the responses of a batch that came from files, by index."""
    found = {}
    for index, _ in batch.recorded:
        import_id = import_of(batch.records[index].event.file)
        if import_id is not None:
            found[index] = import_id
    return found


async def drop_undone(tx: ReadTx, batch: Batch) -> None:
    """Give rows of imports that were undone their verdict: after the undoing such a row comes only when its record is
    read again."""
    if not batch.imports:
        return
    undone = await import_rows.undone(tx, set(batch.imports.values()))
    if not undone:
        return
    for index, data in batch.recorded:
        if (batch.imports.get(index), data.account_id) in undone:
            batch.verdicts[index] = REPEAT
            batch.rows[index] = GONE


def split_off(batch: Batch, repeats: Iterable[Indexed]) -> tuple[list[Indexed], list[Row]]:
    """Records whose ids are known: those of clients, and those of files, in the order of the batch."""
    posted: list[Indexed] = []
    rows: list[Row] = []
    for index, data in sorted(repeats, key=_index_of):
        origin = origin_in(batch.records[index].event.file)
        if origin is None:
            posted.append((index, data))
        else:
            rows.append((index, data, origin))
    return posted, rows


async def take_rows(
    tx: WriteTx,
    batch: Batch,
    rows: Sequence[Row],
    stored: Mapping[str, Mapping[str, Any]],
    people: Mapping[tuple[str, str], str],
    unsaid: Mapping[str, frozenset[str]],
) -> None:
    """Judge rows whose ids are known, one after the other, and store the changes that they make. `stored` are the
    responses as they were first recorded, none of them erased; `people` says whose the ids are that the rows name, and
    `unsaid` of which fields of a response a row says nothing any more."""
    if not rows:
        return
    owners = {data.response_id: _owner(stored[data.response_id]) for _, data, _ in rows}
    known = await changes.by_response(tx, owners)
    early = _changed_in(batch, owners)
    subjects = await subjects_of(tx, owners, _about(early, known))
    made: list[tuple[str, Change]] = []
    for index, data, origin in rows:
        response_id = data.response_id
        before = _before(index, early.get(response_id, ()), known.get(response_id, ()))
        first = stored[response_id]
        person_id = people[data.account_id, data.stakeholder_id]
        recorded = {name: value for name, value in compared(first).items() if name not in unsaid[response_id]}
        judged = judge(origin, data, person_id, subjects[response_id], recorded, before)
        batch.rows[index] = judged
        batch.verdicts[index] = _verdict(judged)
        if judged.change is None:
            continue
        known.setdefault(response_id, []).append(judged.change)
        made.append((response_id, judged.change))
        batch.refold.add(response_id)
        batch.mark_dirty(data.account_id, first["answered_at"], first["recorded_at"], first["quiet"] or data.quiet)
    await changes.insert(tx, made)


async def count_rows(tx: WriteTx, batch: Batch, clock: Clock) -> None:
    """Add what became of the rows of files to the counts of their imports, each row once however often it is read. One
    that was set aside is counted when it is applied."""
    if not batch.imports:
        return
    until = await import_rows.counted_until(tx, set(batch.imports.values()))
    counts: dict[Part, tuple[int, Counter[RowOutcome]]] = {}
    lines: list[tuple[UUID, Line]] = []
    for index, import_id in batch.imports.items():
        record = batch.records[index]
        part = import_id, record.partition
        if record.offset <= until.get(part, -1) and not record.late:
            continue
        row = _outcome_of(batch, index)
        last_offset, outcomes = counts.get(part, (-1, Counter()))
        outcomes[row.outcome] += 1
        counts[part] = max(last_offset, record.offset), outcomes
        origin = None
        if row.outcome not in ("new", "same"):
            origin = origin_in(record.event.file)
        if origin is not None:
            lines.append((import_id, Line(origin.line, row.outcome, row.code, row.fields)))
    await import_rows.count(tx, counts)
    await import_rows.keep_lines(tx, lines, clock.now())


async def count_dropped(tx: WriteTx, dropped: Dropped, now: datetime) -> None:
    """Count a row that is dropped, by an operator or for its age, before it was ever applied: it is settled."""
    origin = dropped.file_row
    if origin is None:
        return
    await import_rows.count(tx, {(origin.import_id, dropped.partition): (-1, Counter({"dropped": 1}))})
    await import_rows.keep_lines(tx, [(origin.import_id, Line(origin.line, "dropped", dropped.reason, ()))], now)


def _owner(first: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whose a response is, of what was first recorded."""
    return {**first, "stakeholder_id": first["person_id"], "given_stakeholder_id": first["stakeholder_id"]}


def _changed_in(batch: Batch, response_ids: Mapping[str, Any]) -> dict[str, list[tuple[int, Change]]]:
    """The changes by clients in this very batch, with their indexes: a row sees those that come before it."""
    found: dict[str, list[tuple[int, Change]]] = {}
    for index, data in batch.changed:
        if data.response_id in response_ids:
            found.setdefault(data.response_id, []).append((index, change_of(data)))
    return found


def _about(
    early: Mapping[str, Iterable[tuple[int, Change]]], known: Mapping[str, Iterable[Change]]
) -> list[tuple[str, Change]]:
    """All changes with the ids of their responses."""
    about = []
    for response_id, changed in early.items():
        for _, change in changed:
            about.append((response_id, change))
    for response_id, found in known.items():
        for change in found:
            about.append((response_id, change))
    return about


def _before(index: int, early: Iterable[tuple[int, Change]], known: Iterable[Change]) -> list[Change]:
    """The changes of a response that come before a row, each once."""
    found = {}
    for at, change in early:
        if at < index:
            found[change.event_id] = change
    for change in known:
        found[change.event_id] = change
    return list(found.values())


def _verdict(row: RowVerdict) -> Verdict:
    if row.outcome == "conflict":
        return conflict(row.code)
    if row.outcome == "amended":
        return CHANGE
    return REPEAT


def _outcome_of(batch: Batch, index: int) -> RowVerdict:
    """What became of a row: judged, or as the verdict on its record says."""
    if index in batch.rows:
        return batch.rows[index]
    verdict = batch.verdicts[index]
    if verdict is NEW:
        return RowVerdict("new")
    if verdict is not None and verdict.outcome is Outcome.DEAD_LETTERED:
        return RowVerdict("conflict", verdict.reason)
    return GONE


def _index_of(recorded: Indexed) -> int:
    return recorded[0]
