"""Rows of an uploaded file, parsed and validated as if each had been posted."""

import itertools
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, get_args
from uuid import UUID

from pydantic import ValidationError

from services.collector.domain.columns import ACCOUNTS, RESPONSES, Kind
from services.collector.domain.formats import answer_rows
from services.collector.domain.rows import PASSED_OVER, Note, Reading, RowError, RowValues, row_values
from services.collector.handlers import file_ids
from services.collector.handlers.directory import Change
from services.collector.handlers.import_files import header_of
from services.collector.handlers.import_scan import FileScan, scan
from services.collector.handlers.inputs.directory import AccountItem, StakeholderItem
from services.collector.handlers.inputs.responses import NewResponse
from services.collector.handlers.responses import who
from shared.errors import Invalid
from shared.events.directory import MailPermission, StakeholderType, Tier
from shared.events.responses import Channel, NpsKind
from shared.files.table import BadRow, Row, Table
from shared.http.problem import invalid
from shared.ids import derived_uuid
from shared.settings import known_zone
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
UNREADABLE = "unreadable"
_AS_TEXT = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_WORDS: Mapping[str, Sequence[str]] = {
    "tier": get_args(Tier),
    "type": get_args(StakeholderType),
    "channel": get_args(Channel),
    "nps_kind": get_args(NpsKind),
    "mail_permission": get_args(MailPermission),
}
"""Fields of few words that a row may lack: any other word is kept as an attribute."""


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """A response of a file; `digest` is a hash of its values where it has no response_id. `day` is a hash of the person
    and the day where the date has no time."""

    line: int
    body: NewResponse
    digest: UUID | None
    notes: Sequence[Note] = ()
    day: UUID | None = None
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryRow:
    """An account or a person of a file."""

    line: int
    change: Change
    notes: Sequence[Note] = ()
    cells: tuple[str, ...] = ()


ReadRow = ResponseRow | DirectoryRow | BadRow


class RowReader:
    """Reads a file in steps. Not on the event loop: a step takes some milliseconds, and to look for the last rows of
    submissions some seconds."""

    def __init__(self, file: BinaryIO, reading: Reading) -> None:
        """Raises `TableError`."""
        header = header_of(reading.columns)
        self._scan = FileScan(answer_rows(reading.format, reading.columns.header))
        if reading.format.last_of is not None:
            table = Table(file, header)
            self._scan = scan(table, reading)
            table.release()
            file.seek(0)
        self._reading = reading
        self._table = Table(file, header)
        self._rows: Iterator[Row | BadRow] = iter(self._table)

    def skip(self, rows: int) -> None:
        """Skip rows that were taken before."""
        next(itertools.islice(self._rows, rows, rows), None)

    def read(self, count: int) -> list[ReadRow]:
        """The next rows, none at the end. Raises `TableError` where the file cannot be read on."""
        rows: list[ReadRow] = []
        for row in itertools.islice(self._rows, count):
            if isinstance(row, BadRow):
                rows.append(_of_no_table(self._reading, row))
            else:
                rows.append(_answer(self._reading, self._scan, row) or read_row(self._reading, row))
        return rows

    def release(self) -> None:
        """Detach from the file without closing it."""
        self._table.release()


def _of_no_table(reading: Reading, row: BadRow) -> BadRow:
    """A row that does not fit the header; lines that a tool writes below its table are passed over."""
    if reading.format.footer and row.width == 1:
        return BadRow(row.line, PASSED_OVER, "the line stands below the table")
    return row


def _answer(reading: Reading, found: FileScan, row: Row) -> BadRow | None:
    """Why a row is passed over as no answer; None for an answer."""
    if not found.answers.has(row.cells):
        return BadRow(row.line, PASSED_OVER, "the row is not an answer")
    key = reading.columns.places.get(reading.format.last_of or "")
    if key is not None and not found.is_last(row.line, row.cells[key].strip()):
        return BadRow(row.line, PASSED_OVER, "a later row of the same submission counts")
    return None


def read_row(reading: Reading, row: Row) -> ReadRow:
    """Validate one row by the rules of the route for such records."""
    kind = reading.columns.kind
    try:
        found = row_values(reading, row.cells)
        notes = [*found.notes, *_keep_unknown_words(found)]
        if kind == RESPONSES:
            file_ids.with_survey(found.values, reading.columns)
            body = NewResponse.model_validate(found.values)
            digest = None
            if not body.response_id:
                digest = digest_of(kind, found.cells)
            return ResponseRow(row.line, body, digest, notes, _day_of(found, body), row.cells)
        return DirectoryRow(row.line, _change(kind, found.values), notes, row.cells)
    except RowError as error:
        return BadRow(row.line, error.code, error.reason, error.field, cells=row.cells)
    except ValidationError as error:
        return replace(bad_row(row.line, invalid(error)), cells=row.cells)
    except MemoryError:
        raise
    except Exception as error:
        return unreadable(row.line, error)


def _day_of(found: RowValues, body: NewResponse) -> UUID | None:
    if not found.is_day or body.answered_at is None:
        return None
    person = who(body.stakeholder_id, body.email)
    return derived_uuid("day", body.account_id, person, body.survey_type, body.answered_at.isoformat())


def _change(kind: Kind, values: Mapping[str, Any]) -> Change:
    if kind == ACCOUNTS:
        return Change.of(AccountItem.model_validate(values))
    return Change.of(StakeholderItem.model_validate(values))


def _keep_unknown_words(found: RowValues) -> list[Note]:
    """Move words that a field does not know to the attributes: a role, a tier or a time zone is no reason to refuse a
    row."""
    notes = []
    for name, known in _WORDS.items():
        if name in found.values and found.values[name] not in known:
            notes.append(_kept_as_attribute(found, name, f"none of {', '.join(known)}"))
    try:
        if "time_zone" in found.values:
            known_zone(found.values["time_zone"])
    except ValueError:
        notes.append(_kept_as_attribute(found, "time_zone", "no time zone of the IANA database"))
    return notes


def _kept_as_attribute(found: RowValues, name: str, what: str) -> Note:
    del found.values[name]
    found.values.setdefault("attributes", {}).setdefault(name, found.cells[name])
    return Note("kept_as_attribute", name, f"{name} is {what}: kept as an attribute")


def bad_row(line: int, error: Invalid) -> BadRow:
    """A line of the report for a refused record: its first error."""
    if not error.errors:
        return BadRow(line, error.code, error.detail)
    problem = error.errors[0]
    return BadRow(line, problem["code"], f"{problem['field']} {problem['detail']}", problem["field"])


def unreadable(line: int, error: Exception) -> BadRow:
    """A line of the report for a row on which a handler failed unforeseen. The log has the error; later rows are
    taken."""
    log.error("import_row_unreadable", line=line, exc_info=error)
    return BadRow(line, UNREADABLE, "the row breaks no rule and could not be taken; the collector's log says why")


def digest_of(kind: str, cells: Mapping[str, str]) -> UUID:
    """The mapped cells of a row as an id: equal ones give the same id, however the file is written."""
    text = _AS_TEXT(cells)
    return derived_uuid("import", kind, unicodedata.normalize("NFC", text))
