"""Rows of an uploaded file, parsed and validated as if each had been posted."""

import itertools
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO
from uuid import UUID

from pydantic import ValidationError

from services.collector.domain.columns import ACCOUNTS, RESPONSES, ColumnError, Columns, Kind, directed, match_columns
from services.collector.domain.day_order import Direction, direction_of, is_day_alone
from services.collector.domain.delimited import BadRow, Row, Table, TableError
from services.collector.domain.formats import FormatName, answer_rows, format_mapping
from services.collector.domain.rows import Reading, RowError, row_values
from services.collector.handlers import file_ids
from services.collector.handlers.directory import Change
from services.collector.handlers.inputs.directory import AccountItem, StakeholderItem
from services.collector.handlers.inputs.responses import NewResponse
from services.collector.handlers.refusals import refused
from services.collector.handlers.responses import who
from shared.errors import Invalid
from shared.http.problem import invalid
from shared.ids import derived_uuid
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """A response of a file; `digest` is a hash of its values where it has no response_id. `day` is a hash of the person
    and the day where the date has no time, and `direction` the way the file goes."""

    line: int
    body: NewResponse
    digest: UUID | None
    day: UUID | None = None
    direction: Direction = 1


@dataclass(frozen=True, slots=True)
class DirectoryRow:
    """An account or a person of a file."""

    line: int
    change: Change


ReadRow = ResponseRow | DirectoryRow | BadRow


def check_file(
    file: BinaryIO, kind: Kind, mapping: Mapping[str, str], format_name: FormatName | None = None
) -> Columns:
    """Read the header of a file and match its columns. Raises `Invalid` with the reason; leaves the file at its
    start."""
    try:
        table = Table(file)
        try:
            if format_name is not None:
                mapping = format_mapping(format_name, table.header, directed(kind, mapping))
            columns = match_columns(kind, table.header, mapping)
            if format_name is not None:
                columns = replace(columns, only=answer_rows(format_name, table.header))
            rows = list(itertools.islice(table, file_ids.LOOKED_AT))
            if not rows:
                raise refused("file", "no_rows", "the file has a header and no rows")
            if kind == RESPONSES and file_ids.survey_is_missing(columns, _cells(rows)):
                raise refused("columns", "survey_needed", file_ids.NEEDED)
        finally:
            table.release()
            file.seek(0)
    except TableError as error:
        raise refused("file", error.code, error.detail) from None
    except ColumnError as error:
        raise refused(error.field, error.code, error.hint) from None
    return columns


class RowReader:
    """Reads a file in steps. Not on the event loop: a step takes some milliseconds."""

    def __init__(self, file: BinaryIO, reading: Reading, direction: Direction = 1) -> None:
        """Raises `TableError`."""
        self._reading = reading
        self._direction = direction
        self._table = Table(file)
        self._rows: Iterator[Row | BadRow] = iter(self._table)

    def skip(self, rows: int) -> None:
        """Skip rows that were taken before."""
        next(itertools.islice(self._rows, rows, rows), None)

    def read(self, count: int) -> list[ReadRow]:
        """The next rows, none at the end. Raises `TableError` where the file cannot be read on."""
        rows: list[ReadRow] = []
        for row in itertools.islice(self._rows, count):
            if isinstance(row, BadRow):
                rows.append(row)
            else:
                rows.append(read_row(self._reading, row, self._direction))
        return rows


def direction_in(file: BinaryIO, reading: Reading) -> Direction:
    """Which way a file of answers goes; it is read to its end only if dates without a time are among its first rows.
    Leaves it at its start."""
    place = reading.columns.places.get("answered_at")
    if reading.columns.kind != RESPONSES or place is None:
        return 1
    table = Table(file)
    try:
        rows = _cells(table)
        first = list(itertools.islice(rows, file_ids.LOOKED_AT))
        if not any(is_day_alone(cells[place].strip()) for cells in first):
            return 1
        return direction_of(reading, itertools.chain(first, rows))
    finally:
        table.release()
        file.seek(0)


def _cells(rows: Iterable[Row | BadRow]) -> Iterator[Sequence[str]]:
    for row in rows:
        if not isinstance(row, BadRow):
            yield row.cells


def read_row(reading: Reading, row: Row, direction: Direction = 1) -> ReadRow:
    """Validate one row by the rules of the route for such records."""
    kind = reading.columns.kind
    try:
        values = row_values(reading, row.cells)
        if kind == RESPONSES:
            file_ids.with_survey(values, reading.columns.header)
            body = NewResponse.model_validate(values)
            digest = None
            if not body.response_id:
                digest = digest_of(kind, values)
            return ResponseRow(row.line, body, digest, _day_of(reading, row, body), direction)
        if kind == ACCOUNTS:
            return DirectoryRow(row.line, Change.of(AccountItem.model_validate(values)))
        return DirectoryRow(row.line, Change.of(StakeholderItem.model_validate(values)))
    except RowError as error:
        return BadRow(row.line, error.code, error.reason, error.field)
    except ValidationError as error:
        return bad_row(row.line, invalid(error))
    except MemoryError:
        raise
    except Exception as error:
        return unreadable(row.line, error)


def _day_of(reading: Reading, row: Row, body: NewResponse) -> UUID | None:
    place = reading.columns.places.get("answered_at")
    if place is None or body.answered_at is None or not is_day_alone(row.cells[place].strip()):
        return None
    person = who(body.stakeholder_id, body.email)
    return derived_uuid("day", body.account_id, person, body.survey_type, body.answered_at.isoformat())


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


def digest_of(kind: str, values: Mapping[str, Any]) -> UUID:
    """The values of a row as an id: equal mapped values give the same id, however the file is written."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True)
    return derived_uuid("import", kind, unicodedata.normalize("NFC", text))
