"""Reads delimited files: any of `,` `;` and tab, any usual encoding, Excel's habits, headers of several lines or rows,
broken quotes.

Memory is bounded by one row, whatever the size of the file. A line that cannot be parsed is reported with its number
and the next one is read; only a fault of the whole file raises `TableError`.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from itertools import islice, zip_longest
from typing import Any, BinaryIO

from shared.files.delimiters import WORKBOOK, delimiter_of, sep_line
from shared.files.lines import Encoding, Lines, TableError, encoding_of, text_of, undecoded

MAX_COLUMNS = 1_000
MAX_RESUMED_ROWS = 1_000
"""How often the lines swallowed by an unclosed quote are read again; bounds the work for a hostile file."""
_SAMPLE = 65_536


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row; `line` is the number of its first line in the file, as an editor counts, or of its row in the
    sheet."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A refused row: its line, a stable code, the reason for people, and the field where one field is at fault. `width`
    is the number of its cells, where they do not fit the header; `cells` are there where they fit."""

    line: int
    code: str
    reason: str
    field: str | None = None
    width: int | None = None
    cells: tuple[str, ...] = member(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Header:
    """Where the names of the columns are: in the first `named_by` of so many `rows`, which come after so many rows
    `before` them (titles, notes). `unsaid` are words of further rows that add nothing to a name."""

    before: int = 0
    rows: int = 1
    named_by: int = 1
    unsaid: frozenset[str] = frozenset()


ONE_ROW = Header()


class Records:
    """The rows of a file as they are, each with its line, from the beginning."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises `TableError`."""
        self.encoding = encoding_of(file)
        self.delimiter = delimiter_of(_beginning(file, self.encoding))
        self._text = text_of(file, self.encoding)
        self._lines = Lines(self._text)
        self._reader = self._csv_reader()
        self._count = 0
        self._resumed = 0

    def _csv_reader(self) -> Any:
        return csv.reader(self._lines, delimiter=self.delimiter, strict=True)

    def __iter__(self) -> Iterator[tuple[int, list[str] | BadRow]]:
        while True:
            line = self._lines.start_row()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._resume()
                yield self._number(line), BadRow(self._number(line), *_quoting_problem(error))
                continue
            if line == 1 and sep_line(self.delimiter.join(cells)) is not None:
                continue
            self._count += 1
            yield self._number(line), cells

    def _number(self, line: int) -> int:
        if self.delimiter == WORKBOOK:
            return self._count
        return line

    def _resume(self) -> None:
        """Go on behind the first line of a row that cannot be parsed."""
        if self._lines.row_span > 1 and self._resumed < MAX_RESUMED_ROWS:
            self._lines.resume()
            self._resumed += 1
        self._reader = self._csv_reader()

    def release(self) -> None:
        """Detach from the file without closing it."""
        self._text.detach()


class Table:
    """A delimited file: `heads` with the rows of its header, `header` with trimmed names, then rows by iteration
    (once)."""

    def __init__(self, file: BinaryIO, header: Header = ONE_ROW) -> None:
        """Raises `TableError`."""
        self._file = Records(file)
        self.encoding = self._file.encoding
        self.delimiter = self._file.delimiter
        self._rows = iter(self._file)
        for _ in range(header.before):
            self._head()
        self.heads = [self._head() for _ in range(header.rows)]
        self.header = _names(self.heads[: header.named_by], header.unsaid)

    def _head(self) -> list[str]:
        """The next row that is not blank, before the rows of the table."""
        for line, cells in self._rows:
            if isinstance(cells, BadRow):
                raise TableError("bad_header", f"the header in line {line} has an unclosed or misplaced quote")
            if any(map(str.strip, cells)):
                return cells
        raise TableError("empty_file", "the file has no header line")

    def __iter__(self) -> Iterator[Row | BadRow]:
        for line, cells in self._rows:
            if isinstance(cells, BadRow):
                yield cells
            elif any(map(str.strip, cells)):
                yield self._fit(line, cells)

    def _fit(self, line: int, cells: list[str]) -> Row | BadRow:
        width = len(self.header)
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            cells = cells[:width]
        if len(cells) != width:
            return BadRow(line, "ragged_row", f"the row has {len(cells)} cells, the header {width}", width=len(cells))
        if any(map(undecoded, cells)):
            return BadRow(line, "undecodable", "the line is damaged: it is not valid text; save the file as UTF-8")
        return Row(line, tuple(cells))

    def release(self) -> None:
        """Detach from the file without closing it."""
        self._file.release()


def first_rows(file: BinaryIO, count: int) -> list[list[str]]:
    """The first rows of a file that are not blank, to find the header among them. Leaves the file at its start. Raises
    `TableError`."""
    records = Records(file)
    try:
        found = (cells for _, cells in records if not isinstance(cells, BadRow) and any(map(str.strip, cells)))
        return list(islice(found, count))
    finally:
        records.release()
        file.seek(0)


def _beginning(file: BinaryIO, encoding: Encoding) -> str:
    text = text_of(file, encoding)
    sample = text.read(_SAMPLE)
    text.detach()
    file.seek(0)
    return sample


def _names(heads: Sequence[Sequence[str]], unsaid: frozenset[str]) -> tuple[str, ...]:
    """The names of the columns. Of several rows the first says the name, and is continued to the right over empty
    cells; what the others add follows after a colon."""
    names: list[str] = []
    above = ""
    for first, *further in zip_longest(*heads, fillvalue=""):
        if first.strip() or not further:
            above = _line(first)
        added = [_line(cell) for cell in further if cell.strip() and _line(cell) not in unsaid]
        names.append(": ".join(filter(None, [above, *added])))
    while names and not names[-1]:
        names.pop()
    if not names or len(names) > MAX_COLUMNS:
        raise TableError("bad_header", f"the header must have 1 to {MAX_COLUMNS} named columns")
    if "\x00" in "".join(names):
        raise TableError("bad_header", "the header holds NUL")
    if any(map(undecoded, names)):
        raise TableError("unknown_encoding", "the header is not valid UTF-8; save the file as UTF-8")
    return tuple(names)


def _line(name: str) -> str:
    """A name in one line, without the line ends and the double spaces of a question."""
    return " ".join(name.split())


def _quoting_problem(error: csv.Error) -> tuple[str, str]:
    if "field larger" in str(error):
        return "field_too_long", "a cell is longer than 131,072 characters, or a quote is not closed"
    if "unexpected end" in str(error):
        return "unclosed_quote", "a quote is opened and never closed"
    return "bad_quoting", "a quote stands in the middle of a cell; double it inside a quoted cell"
