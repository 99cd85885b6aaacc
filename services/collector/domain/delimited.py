"""Reads delimited files: any of `,` `;` and tab, UTF-8 or UTF-16, Excel's habits, broken quotes.

Memory is bounded by one row, whatever the size of the file. A line that cannot be parsed is reported with its number
and the next one is read; only a fault of the whole file raises `TableError`.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

DELIMITERS = ",;\t"
MAX_LINE = 1_000_000
MAX_COLUMNS = 1_000
MAX_RESUMED_ROWS = 1_000
"""How often the lines swallowed by an unclosed quote are read again; bounds the work for a hostile file."""

_SAMPLE = 4_096


class TableError(Exception):
    """The file as a whole cannot be read; `code` is stable, the text is for people and repeats no cell."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row; `line` is the number of its first line in the file, the header's being 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A refused row: its line, a stable code, the reason for people, and the field where one field is at fault."""

    line: int
    code: str
    reason: str
    field: str | None = None


class _Lines:
    """Text lines with their numbers; `start_row` marks where a row begins, `resume` returns to its second line."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._again: list[str] = []
        self._row: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._read()
        self.number += 1
        self._row.append(line)
        return line

    def _read(self) -> str:
        try:
            line = self._text.readline(MAX_LINE)
        except UnicodeDecodeError:
            raise TableError("undecodable", f"line {self.number + 1} cannot be decoded") from None
        if not line:
            raise StopIteration
        if len(line) >= MAX_LINE:
            raise TableError("line_too_long", f"line {self.number + 1} is longer than {MAX_LINE} characters")
        return line

    def start_row(self) -> int:
        """Begin a row; returns the number of its first line."""
        self._row = []
        return self.number + 1

    @property
    def row_span(self) -> int:
        """How many lines the current row has read."""
        return len(self._row)

    def resume(self) -> None:
        """Read all lines of the current row but the first again."""
        self._again.extend(reversed(self._row[1:]))
        self.number -= len(self._row) - 1


class Table:
    """A delimited file: `header` with trimmed names, then rows by iteration (once)."""

    def __init__(self, file: BinaryIO) -> None:
        self.encoding = _encoding(file)
        errors = "surrogateescape"
        if self.encoding == "utf-16":
            errors = "surrogatepass"
        self._text = io.TextIOWrapper(file, encoding=self.encoding, errors=errors, newline="")
        self._lines = _Lines(self._text)
        header_line = self._first_line()
        self.delimiter, self.header = _header(header_line, self._lines.number)

    def _first_line(self) -> str:
        """The header's line: the first that is not blank and not Excel's `sep=` line, which names the delimiter."""
        for line in self._lines:
            if line.strip() and not line.strip().lower().startswith("sep="):
                return line
        raise TableError("empty_file", "the file has no header line")

    def __iter__(self) -> Iterator[Row | BadRow]:
        reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)
        resumed = 0
        while True:
            line = self._lines.start_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if self._lines.row_span > 1 and resumed < MAX_RESUMED_ROWS:
                    self._lines.resume()
                    resumed += 1
                yield BadRow(line, *_quoting_problem(error))
                continue
            if any(cell.strip() for cell in cells):
                yield self._fit(line, cells)

    def _fit(self, line: int, cells: list[str]) -> Row | BadRow:
        width = len(self.header)
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            cells = cells[:width]
        if len(cells) != width:
            return BadRow(line, "ragged_row", f"the row has {len(cells)} cells, the header {width}")
        if any(_undecoded(cell) for cell in cells):
            return BadRow(line, "undecodable", "the line is not valid UTF-8; save the file as UTF-8")
        return Row(line, tuple(cells))

    def release(self) -> None:
        """Detach from the file without closing it."""
        self._text.detach()


def _encoding(file: BinaryIO) -> str:
    sample = file.read(_SAMPLE)
    file.seek(0)
    if not sample:
        raise TableError("empty_file", "the file is empty")
    if sample.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise TableError("unknown_encoding", "UTF-32 is not read; save the file as UTF-8")
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # In the header only: a NUL further down costs its own row.
    if b"\x00" in sample.partition(b"\n")[0]:
        raise TableError(
            "unknown_encoding", "NUL bytes: UTF-16 without a byte order mark, or no text; save the file as UTF-8"
        )
    return "utf-8-sig"


def _header(line: str, number: int) -> tuple[str, tuple[str, ...]]:
    """Delimiter and names: the delimiter that gives most columns, the comma in case of a tie."""
    parsed: list[tuple[str, list[str]]] = []
    for delimiter in DELIMITERS:
        try:
            parsed.append((delimiter, next(csv.reader([line], delimiter=delimiter, strict=True))))
        except csv.Error:
            continue
    if not parsed:
        raise TableError("bad_header", f"the header in line {number} has an unclosed or misplaced quote")
    delimiter, cells = max(parsed, key=lambda candidate: len(candidate[1]))
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names or len(names) > MAX_COLUMNS:
        raise TableError("bad_header", f"the header in line {number} must have 1 to {MAX_COLUMNS} named columns")
    if any("\x00" in name for name in names):
        raise TableError("bad_header", f"the header in line {number} holds NUL")
    if any(_undecoded(name) for name in names):
        raise TableError("unknown_encoding", "the header is not valid UTF-8; save the file as UTF-8")
    return delimiter, tuple(names)


def _quoting_problem(error: csv.Error) -> tuple[str, str]:
    if "field larger" in str(error):
        return "field_too_long", "a cell is longer than 131,072 characters, or a quote is not closed"
    if "unexpected end" in str(error):
        return "unclosed_quote", "a quote is opened and never closed"
    return "bad_quoting", "a quote stands in the middle of a cell; double it inside a quoted cell"


def _undecoded(text: str) -> bool:
    """Whether the text contains undecodable bytes (as lone surrogates)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
