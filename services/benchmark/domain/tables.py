"""Benchmarks as a table: a delimited text with one line an industry, in the column names that people use."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_LINES = 5_000
_COLUMNS = {
    "source": ("source", "publisher"),
    "year": ("year",),
    "industry": ("industry", "sector"),
    "region": ("region", "geography"),
    "nps": ("nps", "score", "average nps", "mean nps"),
    "n": ("n", "responses", "sample", "sample size"),
    "method": ("method",),
    "lower_quartile": ("lower quartile", "q1", "p25", "25th percentile"),
    "median": ("median", "q2", "p50"),
    "upper_quartile": ("upper quartile", "q3", "p75", "75th percentile"),
    "note": ("note", "notes", "comment"),
}
_NOT_A_WORD = re.compile(r"[\W_]+")
_DECIMAL = re.compile(r"[+-]?\d{1,3}(\.\d{1,12})?")
_WHOLE = re.compile(r"\d{1,10}")
OF_SET = ("source", "year", "region", "method")


class BadTable(ValueError):
    """What is wrong, and where: `line` counts from 1, the header being line 1."""

    def __init__(self, line: int, column: str, detail: str) -> None:
        super().__init__(detail)
        self.line, self.column, self.detail = line, column, detail


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: field → number or text; empty cells are left out."""

    number: int
    values: Mapping[str, str | int | float]


def _words(text: str) -> str:
    return _NOT_A_WORD.sub(" ", text).strip().casefold()


_FIELDS = {_words(name): field for field, names in _COLUMNS.items() for name in names}


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a text with `,`, `;` or tab between its columns. Raises BadTable, also for unknown columns."""
    text = text.removeprefix("\ufeff")
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        header = next(reader, [])
        fields = _header(header)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(fields):
                raise BadTable(reader.line_num, "", f"has {len(cells)} cells where the header has {len(fields)}")
            yield Line(reader.line_num, _values(reader.line_num, dict(zip(fields, cells, strict=True))))
            if reader.line_num > MAX_LINES:
                raise BadTable(reader.line_num, "", f"is beyond {MAX_LINES} lines: split the file")
    except csv.Error:
        raise BadTable(reader.line_num, "", "is not a line of a delimited table") from None


def _header(cells: list[str]) -> list[str]:
    fields = [_FIELDS.get(_words(cell), "") for cell in cells]
    for position, field in enumerate(fields, 1):
        if not field:
            raise BadTable(1, f"column {position}", f"is not one of {', '.join(_COLUMNS)}")
        if fields.count(field) > 1:
            raise BadTable(1, field, "is there more than once")
    for field in ("industry", "nps"):
        if field not in fields:
            raise BadTable(1, field, "is missing")
    return fields


def _values(line: int, cells: Mapping[str, str]) -> dict[str, str | int | float]:
    values: dict[str, str | int | float] = {}
    for field, cell in cells.items():
        text = cell.strip().replace("−", "-")
        if not text:
            continue
        if field in ("year", "n"):
            if not _WHOLE.fullmatch(text):
                raise BadTable(line, field, "must be a whole number without separators")
            values[field] = int(text)
        elif field in ("nps", "lower_quartile", "median", "upper_quartile"):
            if not _DECIMAL.fullmatch(text):
                raise BadTable(line, field, "must be a number such as 41 or -3.5, with a decimal point")
            values[field] = float(text)
        else:
            values[field] = cell.strip()
    return values
