"""Imports: a file becomes a job, a job is processed in steps, a step is one transaction of rows, events and
progress."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from io import SEEK_END
from itertools import compress
from typing import BinaryIO
from uuid import UUID

from services.collector.domain.columns import RESPONSES as RESPONSE_FILE
from services.collector.domain.rows import PASSED_OVER, Note
from services.collector.handlers import directory
from services.collector.handlers.identities import ADDRESS_IN_USE
from services.collector.handlers.import_rows import DirectoryRow, ReadRow, ResponseRow, bad_row
from services.collector.handlers.inputs.responses import NewResponse
from services.collector.handlers.ownership import foreign
from services.collector.handlers.publishing import check_size
from services.collector.handlers.responses import recorded, who
from services.collector.store import import_bad_rows as bad_rows
from services.collector.store import import_claims as claims
from services.collector.store import import_order as order
from services.collector.store import import_reports as reports
from services.collector.store import imports as store
from services.collector.store.import_claims import Progress
from services.collector.store.import_reports import Outcome, Problem
from services.collector.store.imports import ImportJob
from shared.db.erasures import Journal, Person
from shared.db.transaction import WriteTx
from shared.errors import Invalid, TellbackError, TooLarge, TooMany
from shared.events.files import Origin
from shared.files.table import BadRow
from shared.ids import derived_uuid
from shared.records import Record
from shared.topics import RESPONSES

PIECE_BYTES = 262_144
STEP_ROWS = 500
MOST_KEPT_ROWS, MOST_KEPT_LENGTH = 10_000, 20_000
"""How many rows of a file are kept to be mended, and how many characters each may have."""
KEPT_ROWS_LAST = timedelta(days=7)
MOST_WAITING, MOST_WAITING_BYTES = 5, 2 * 1024**3
"""Files of one key that may wait to be taken in: they lie in PostgreSQL meanwhile."""
RETRY_AFTER_SECONDS = 60
Warned = Mapping[int, Sequence[Note]]
"""Line -> what is told about a record that was taken."""
_WARNINGS: Mapping[str, Note] = {
    ADDRESS_IN_USE: Note(ADDRESS_IN_USE, "email", "email is the address of another person, who keeps it as an id")
}
"""What a report says for the warnings of the directory."""


class LostClaim(TellbackError):
    """Another process has claimed the job; nothing of the step was written."""


async def submit(tx: WriteTx, job: ImportJob, file: BinaryIO) -> ImportJob:
    """Store a job with its file, piece by piece; returns the stored job. Raises `TooMany` when too many files of the
    same key are waiting."""
    size = file.seek(0, SEEK_END)
    file.seek(0)
    await _require_room(tx, job.created_by, files=1, size=size)
    await store.create(tx, job)
    digest, position = sha256(), 0
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
        await store.add_piece(tx, job.import_id, position, piece)
        position += 1
    same_as = await store.note_digest(tx, job.import_id, digest.digest())
    # Checked again under a lock, including this file: concurrent uploads do not see each other.
    await store.hold_sender(tx, job.created_by)
    await _require_room(tx, job.created_by)
    return replace(job, same_as=same_as)


async def _require_room(tx: WriteTx, sender: str, files: int = 0, size: int = 0) -> None:
    waiting, waiting_bytes = await store.waiting(tx, sender)
    if waiting + files > MOST_WAITING or waiting_bytes + size > MOST_WAITING_BYTES:
        raise TooMany(
            "too_many_imports",
            f"at most {MOST_WAITING} files of a key wait, and {MOST_WAITING_BYTES >> 30} GB of them: send this one when"
            " others are done",
            retry_after=RETRY_AFTER_SECONDS,
        )


async def take_step(
    tx: WriteTx, job: ImportJob, claim_id: UUID, rows: Sequence[ReadRow], now: datetime, journal: Journal
) -> Progress:
    """Store the rows of a step, all or none; of bad ones also the cells. Raises `LostClaim`."""
    problems: list[Problem] = []
    responses: list[ResponseRow] = []
    records: list[DirectoryRow] = []
    erased_lines = await _lines_of_erased(tx, job, rows, journal)
    for row in rows:
        if isinstance(row, BadRow):
            problems.append(Problem(_outcome(row), row))
        elif row.line in erased_lines:
            problems.append(Problem("skipped", BadRow(row.line, "erased", "the person was erased after this")))
        elif isinstance(row, ResponseRow):
            responses.append(row)
        else:
            records.append(row)
    warned: Warned = {}
    if job.kind == RESPONSE_FILE:
        problems += await _take_responses(tx, job, responses, now)
    else:
        not_taken, warned = await _take_records(tx, job, records, now)
        problems += not_taken
    await reports.note_problems(tx, job.import_id, [*problems, *_noted(rows, problems, warned)])
    if not await journal.any_since(tx, job.created_at):
        # A row that cannot be read names nobody: after an erasure it may be that of the person.
        await bad_rows.keep(tx, job.import_id, _to_mend(rows, problems), now, MOST_KEPT_ROWS)
    outcomes = Counter(problem.outcome for problem in problems)
    taken = len(rows) - len(problems)
    progress = Progress(rows_read=len(rows), taken=taken, skipped=outcomes["skipped"], bad=outcomes["bad"])
    if not await claims.advance(tx, job.import_id, claim_id, progress, now):
        raise LostClaim("lost_claim")
    return progress


def _noted(rows: Sequence[ReadRow], problems: Sequence[Problem], warned: Warned) -> list[Problem]:
    """What is told about rows that are taken: what came of them before how they were read."""
    not_taken = {problem.row.line for problem in problems}
    noted = []
    for row in rows:
        if isinstance(row, BadRow) or row.line in not_taken:
            continue
        notes = [*warned.get(row.line, ()), *row.notes]
        if notes:
            reasons = "; ".join(note.reason for note in notes)
            noted.append(Problem("noted", BadRow(row.line, notes[0].code, reasons, notes[0].field)))
    return noted


def _to_mend(rows: Sequence[ReadRow], problems: Sequence[Problem]) -> dict[int, Sequence[str]]:
    """The cells of bad rows by line, but for those with NUL, which PostgreSQL does not store, and for those that are
    longer than anybody mends."""
    bad = {problem.row.line for problem in problems if problem.outcome == "bad"}
    found: dict[int, Sequence[str]] = {}
    for row in rows:
        text = "".join(row.cells)
        if row.line in bad and 0 < len(text) <= MOST_KEPT_LENGTH and "\0" not in text:
            found[row.line] = row.cells
    return found


def _outcome(row: BadRow) -> Outcome:
    if row.code == PASSED_OVER:
        return "skipped"
    return "bad"


async def _lines_of_erased(tx: WriteTx, job: ImportJob, rows: Sequence[ReadRow], journal: Journal) -> set[int]:
    """Lines about people who were erased after the file was uploaded, or after they gave the answer: an old export must
    not bring anybody back."""
    lines: list[int] = []
    people: list[Person] = []
    for row in rows:
        person = _person_of(row, job.created_at)
        if person is not None:
            lines.append(row.line)
            people.append(person)
    return set(compress(lines, await journal.overtaken(tx, people)))


def _person_of(row: ReadRow, came_at: datetime) -> Person | None:
    if isinstance(row, ResponseRow):
        said_at = min(row.body.answered_at or came_at, came_at)
        return row.body.account_id, who(row.body.stakeholder_id, row.body.email), said_at
    if isinstance(row, DirectoryRow) and row.change.stakeholder_id is not None:
        return row.change.account_id, row.change.stakeholder_id, came_at
    return None


async def _take_responses(tx: WriteTx, job: ImportJob, rows: Sequence[ResponseRow], now: datetime) -> list[Problem]:
    seen = await _seen_before(tx, job, rows)
    records: list[Record] = []
    problems: list[Problem] = []
    hidden = await foreign(tx, job.owner_email, [row.body.account_id for row in rows])
    for row in rows:
        if row.body.account_id in hidden:
            problems.append(Problem("bad", BadRow(row.line, "not_found", "there is no such account")))
            continue
        response_id = None
        if row.digest is not None:
            seen[row.digest] += 1
            response_id = str(derived_uuid(str(row.digest), str(seen[row.digest])))
        try:
            records.append(_record_of(job, row, _in_order(job, row, seen), response_id, now))
        except Invalid as error:
            problems.append(Problem("bad", bad_row(row.line, error)))
        except TooLarge as error:
            problems.append(Problem("bad", BadRow(row.line, error.code, error.detail)))
    await order.note_accounts(tx, job.import_id, [record.account_id for record in records])
    await tx.emit_records(records)
    return problems


async def _seen_before(tx: WriteTx, job: ImportJob, rows: Sequence[ResponseRow]) -> dict[UUID, int]:
    """How often each digest and each person's day of these rows stood in earlier rows of the file; these rows count
    from now on."""
    counts = Counter[UUID]()
    for row in rows:
        if row.digest is not None:
            counts[row.digest] += 1
        if row.day is not None:
            counts[row.day] += 1
    if not counts:
        return {}
    return await store.count_occurrences(tx, job.import_id, counts)


def _record_of(job: ImportJob, row: ResponseRow, answer: NewResponse, response_id: str | None, now: datetime) -> Record:
    """The record that a row becomes. Raises `Invalid`, `TooLarge`."""
    event = recorded(
        answer, now, response_id=response_id, answered_at=job.created_at, channel="import", quiet=job.quiet
    )
    origin = Origin(job.import_id, row.line, job.mode, job.written_at or job.created_at)
    record = Record.of(RESPONSES, event.by(job.created_by).of_file(origin.header()))
    check_size(record)
    return record


def _in_order(job: ImportJob, row: ResponseRow, seen: dict[UUID, int]) -> NewResponse:
    """The answer, so many microseconds after its day or before it as the person has answered on it in earlier rows."""
    if row.day is None or row.body.answered_at is None:
        return row.body
    earlier = seen[row.day]
    seen[row.day] += 1
    if not earlier:
        return row.body
    shift = timedelta(microseconds=earlier)
    if job.columns.newest_first:
        shift = -shift
    answered_at = row.body.answered_at + shift
    return row.body.model_copy(update={"answered_at": answered_at})


async def _take_records(
    tx: WriteTx, job: ImportJob, rows: Sequence[DirectoryRow], now: datetime
) -> tuple[list[Problem], Warned]:
    """Rows that were not taken, and what is told of those that were."""
    results = await directory.change_records(tx, [row.change for row in rows], now, job.owner_email)
    problems = []
    warned: dict[int, Sequence[Note]] = {}
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, Invalid):
            problems.append(Problem("bad", bad_row(row.line, result)))
        elif isinstance(result, TellbackError):
            problems.append(Problem("bad", BadRow(row.line, result.code, result.detail)))
        elif not result.moved:
            problems.append(Problem("skipped", _unchanged(row.line, result.warnings)))
        elif result.warnings:
            warned[row.line] = [_WARNINGS[code] for code in result.warnings]
    return problems, warned


def _unchanged(line: int, warnings: Sequence[str]) -> BadRow:
    """A row that says what the directory says already. A warning holds as before, and has the line to itself."""
    for code in warnings:
        return BadRow(line, code, f"{_WARNINGS[code].reason}; else the directory says the same already", "email")
    return BadRow(line, "unchanged", "the directory says the same already")
