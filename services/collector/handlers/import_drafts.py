"""Drafts: a file that was sent and is not taken yet, looked at as often as its sender tries another reading of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

from services.collector.domain.columns import ColumnError, Columns, Kind, missing
from services.collector.domain.rows import PASSED_OVER
from services.collector.handlers.import_files import check_file, columns_of, header_of, reading_of
from services.collector.handlers.import_rows import DirectoryRow, ReadRow, ResponseRow, RowReader
from services.collector.handlers.imports import PIECE_BYTES
from services.collector.handlers.refusals import refused
from services.collector.store import import_drafts as store
from services.collector.store.import_drafts import Draft
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Invalid, NotFound
from shared.files.lines import TableError
from shared.files.opening import Remark
from shared.files.table import BadRow, Table

DRAFTS_LAST = timedelta(hours=24)
MOST_DRAFTS = 5
"""Of one key; an older one makes room."""
SHOWN_ROWS = 10
SAMPLES = 3
_SAMPLED_ROWS = 20
_SAMPLE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class FileReading:
    """How the sender would have a file read: field -> column, the tool, `form` of its dates for strptime, the zone of
    its clocks, and the time of rows without one. Empty: as the file itself tells."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    format_name: str | None = None
    form: str | None = None
    zone: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One of the first rows: `values` by field as they would be stored, None where the row is not taken."""

    line: int
    values: Mapping[str, str] | None
    skipped: bool = False
    reason: str | None = None
    field: str | None = None


@dataclass(slots=True)
class Look:
    """What a file would become: its columns with some of what they hold, what has to be said first (field, code,
    detail), and its first rows. `rows` is None while something is asked."""

    columns: Columns | None = None
    header: Sequence[tuple[str, Sequence[str]]] = ()
    rows: int | None = None
    zone: str | None = None
    remarks: Sequence[Remark] = ()
    asks: list[dict[str, str]] = field(default_factory=list)
    preview: list[PreviewRow] = field(default_factory=list)


async def keep(tx: WriteTx, draft: Draft, file: BinaryIO) -> None:
    """Store a draft with its file, piece by piece."""
    file.seek(0)
    await store.create(tx, draft, MOST_DRAFTS)
    position = 0
    while piece := file.read(PIECE_BYTES):
        await store.add_piece(tx, draft.draft_id, position, piece)
        position += 1


async def fetch(tx: ReadTx, draft_id: UUID, sender: str, now: datetime, file: BinaryIO) -> Draft:
    """Copy the file of a draft that this key has sent to `file`, which is then at its start. Raises `NotFound`, also
    for one that has expired."""
    draft = await store.find(tx, draft_id, sender)
    if draft is None or draft.created_at + DRAFTS_LAST < now:
        raise NotFound("not_found", "there is no such draft")
    async for piece in store.pieces(tx, draft_id):
        file.write(piece)
    file.seek(0)
    return draft


def look_at(file: BinaryIO, kind: Kind, wanted: FileReading, zone: str) -> Look:
    """What a delimited file would become, read to its end; `zone` is the deployment's. Not on the event loop. What
    `check_file` would refuse is asked. Leaves the file at its start."""
    look = Look()
    try:
        look.columns = columns_of(file, kind, wanted.mapping, wanted.format_name)
    except TableError as error:
        look.asks = _asks(refused("file", error.code, error.detail))
        return look
    except ColumnError as error:
        # Columns of an earlier reading, such as of another sheet: it is shown what there is.
        look.columns = columns_of(file, kind, {}, None)
        look.asks = _asks(refused(error.field, error.code, error.hint))
    look.header = _header(file, look.columns)
    for lacking in missing(look.columns):
        look.asks += _asks(refused(lacking.field, lacking.code, lacking.hint))
    if look.asks:
        return look
    _check(file, kind, wanted, look)
    if not any(ask["field"] == "file" for ask in look.asks):
        look.preview = _first_rows(file, look.columns, wanted, look.zone or zone)
    return look


def _check(file: BinaryIO, kind: Kind, wanted: FileReading, look: Look) -> None:
    try:
        checked = check_file(file, kind, wanted.mapping, wanted.format_name, wanted.form, wanted.zone)
    except Invalid as error:
        look.asks = _asks(error)
        look.zone = wanted.zone
        return
    look.columns, look.rows = checked.columns, checked.rows
    look.zone, look.remarks = checked.zone, checked.remarks


def _asks(error: Invalid) -> list[dict[str, str]]:
    return list(error.errors or [])


def _header(file: BinaryIO, columns: Columns) -> list[tuple[str, Sequence[str]]]:
    """The columns with names, each with some of the texts of its first rows."""
    table = Table(file, header_of(columns))
    samples: list[dict[str, None]] = [{} for _ in columns.header]
    for number, row in enumerate(table):
        if number >= _SAMPLED_ROWS:
            break
        if isinstance(row, BadRow):
            continue
        for found, cell in zip(samples, row.cells, strict=True):
            text = cell.strip()[:_SAMPLE_LENGTH]
            if text and len(found) < SAMPLES:
                found[text] = None
    table.release()
    file.seek(0)
    return [(name, list(found)) for name, found in zip(columns.header, samples, strict=True) if name]


def _first_rows(file: BinaryIO, columns: Columns, wanted: FileReading, zone: str) -> list[PreviewRow]:
    answered_at = None
    if wanted.answered_at is not None:
        answered_at = wanted.answered_at.isoformat()
    reader = RowReader(file, reading_of(columns, wanted.form, zone, answered_at))
    rows = reader.read(SHOWN_ROWS)
    reader.release()
    file.seek(0)
    return list(map(_preview, rows))


def _preview(row: ReadRow) -> PreviewRow:
    if isinstance(row, BadRow):
        return PreviewRow(row.line, None, row.code == PASSED_OVER, row.reason, row.field)
    reasons = "; ".join(note.reason for note in row.notes) or None
    return PreviewRow(row.line, dict(_texts(_values(row))), reason=reasons)


def _values(row: ResponseRow | DirectoryRow) -> Mapping[str, Any]:
    if isinstance(row, ResponseRow):
        return row.body.model_dump(mode="json", exclude_none=True)
    who = {"account_id": row.change.account_id, "stakeholder_id": row.change.stakeholder_id}
    return who | dict(row.change.members)


def _texts(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _texts(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield before + name, ", ".join(map(str, value))
        elif value is not None:
            yield before + name, str(value)
