"""Benchmarks as a table: one line an industry, in the column names that people use."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """What is wrong, and where: `line` is that of the file, or of the sheet."""

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


def lines_of(header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Line]:
    """The lines of a table: its rows with their numbers. Raises BadTable, also for unknown columns."""
    fields = _header(header)
    for count, (number, cells) in enumerate(rows, 1):
        if count > MAX_LINES:
            raise BadTable(number, "", f"is beyond {MAX_LINES} lines: split the file")
        yield Line(number, _values(number, dict(zip(fields, cells, strict=True))))


def _header(cells: Sequence[str]) -> list[str]:
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
