"""Looks at an uploaded file before it is taken: which tool wrote it, its columns, and what has to be asked first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

from services.collector.domain.columns import SYNONYMS, ColumnError, Columns, Kind, match_columns, missing
from services.collector.domain.dates import DateReading
from services.collector.domain.format_table import FORMATS
from services.collector.domain.formats import NO_FORMAT, Format, matched, recognised, zone_of
from services.collector.domain.mapping import written_mapping
from services.collector.domain.row_ids import SlashedNames
from services.collector.domain.rows import Reading
from services.collector.handlers import file_ids
from services.collector.handlers.import_scan import FileScan, scan
from services.collector.handlers.refusals import refused
from shared.files.lines import TableError
from shared.files.opening import Remark
from shared.files.table import Header, Table, first_rows
from shared.settings import known_zone

_ROWS_BEFORE = 12
"""Among how many of the first rows the header of a known tool is looked for."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that can be taken: its columns, how many rows it has, the zone of its clocks as asked or as the file
    tells, and what its sender should know."""

    columns: Columns
    rows: int
    zone: str | None
    remarks: tuple[Remark, ...]


def check_file(
    file: BinaryIO,
    kind: Kind,
    mapping: Mapping[str, str],
    format_name: str | None = None,
    form: str | None = None,
    zone: str | None = None,
) -> Checked:
    """Read a delimited file once, to its end, and match its columns. `form`: of its dates, for strptime. Raises
    `Invalid` with what to do; leaves the file at its start."""
    try:
        columns = columns_of(file, kind, mapping, format_name)
        for lacking in missing(columns):
            raise lacking
        table = Table(file, header_of(columns))
        reading = reading_of(columns, form)
        try:
            found = scan(table, reading)
        finally:
            table.release()
            file.seek(0)
    except TableError as error:
        raise refused("file", error.code, error.detail) from None
    except ColumnError as error:
        raise refused(error.field, error.code, error.hint) from None
    _require_clear(columns, found)
    columns = replace(
        columns,
        names=found.names.names,
        newest_first=found.ends.newest_first(reading.dates),
        heads=tuple(map(tuple, table.heads)),
    )
    return Checked(columns, found.rows, zone or _zone(columns, table), _remarks(table))


def mapping_of(text: str, kind: Kind) -> dict[str, str]:
    """The importer's mapping as it is written. Raises MappingError."""
    return written_mapping(text, SYNONYMS[kind])


def reading_of(columns: Columns, form: str | None = None, zone: str = "UTC", answered_at: str | None = None) -> Reading:
    """How a file with these columns is read: `form` of its dates, `zone` of its clocks."""
    export = format_of(columns)
    dates = DateReading(form, zone, export.midnight_is_24)
    return Reading(columns, dates, answered_at, export, SlashedNames(dict(columns.names)))


def format_of(columns: Columns) -> Format:
    """The tool that wrote a file."""
    return FORMATS.get(columns.format or "", NO_FORMAT)


def header_of(columns: Columns) -> Header:
    """Where the names of the columns are."""
    export = format_of(columns)
    return Header(columns.before, export.header_rows, export.named_by, export.unsaid)


def columns_of(file: BinaryIO, kind: Kind, mapping: Mapping[str, str], format_name: str | None) -> Columns:
    """The columns of a delimited file, as far as they are recognised or mapped. Leaves the file at its start. Raises
    `TableError` and ColumnError."""
    formats = {name: export for name, export in FORMATS.items() if export.kind == kind}
    if format_name is not None:
        formats = {format_name: FORMATS[format_name]}
    name, before = recognised(first_rows(file, _ROWS_BEFORE), formats) or (format_name, 0)
    if name is None:
        return match_columns(kind, _names(file, Header()), mapping)
    export = FORMATS[name]
    names = _names(file, Header(before, export.header_rows, export.named_by, export.unsaid))
    return matched(name, export, before, names, mapping)


def _names(file: BinaryIO, header: Header) -> tuple[str, ...]:
    table = Table(file, header)
    table.release()
    file.seek(0)
    return table.header


def _require_clear(columns: Columns, found: FileScan) -> None:
    """Refuse what would have to be guessed."""
    if not found.rows:
        raise refused("file", "no_rows", "the file has a header and no rows")
    if found.survey_missing:
        raise refused("columns", "survey_needed", file_ids.NEEDED)
    if found.doubtful and found.scores:
        seen = ", ".join(f"{score} ({count} times)" for score, count in sorted(found.scores.items()))
        raise refused(
            "survey_type",
            "survey_type_needed",
            f"the scores are {seen}: with nothing above 5 this may be no NPS; say which with columns, such as"
            " survey_type==csat",
        )
    if found.ambiguous and found.ambiguous == found.dates_tried:
        raise refused(
            "date_format",
            "date_format_needed",
            "no date of the file can be read in one way only; name the date_format, such as DD/MM/YYYY",
        )


def _zone(columns: Columns, table: Table) -> str | None:
    zone = zone_of(format_of(columns), columns, table.heads[-1])
    if zone is None:
        return None
    try:
        return known_zone(zone)
    except ValueError:
        raise refused("time_zone", "unknown_time_zone", "the file names a zone that is not known; name one") from None


def _remarks(table: Table) -> tuple[Remark, ...]:
    if table.encoding != "cp1252":
        return ()
    return (Remark("read_as_windows_1252", "the file is not UTF-8 and was read as Windows-1252"),)
