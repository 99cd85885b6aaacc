"""Which character stands between the columns of a file: the one that makes the first rows as wide as the header."""

import csv
import io
from contextlib import suppress
from itertools import islice

DELIMITERS = ",;\t"
WORKBOOK = "\x1f"
"""Stands between the columns of a sheet that was turned into a delimited text (`shared/files/workbook.py`)."""
_RECORDS = 30


def delimiter_of(sample: str) -> str:
    """The delimiter of a text, of which the beginning is enough. Excel's line `sep=;` names it; else it is the one by
    which most rows fit the header, and of several the one with most columns."""
    named = sep_line(sample.lstrip().partition("\n")[0])
    if named is not None:
        return named
    return max(DELIMITERS, key=lambda delimiter: _fit(sample, delimiter))


def sep_line(line: str) -> str | None:
    """The delimiter that a line `sep=;` names; None for any other line."""
    line = line.strip("\r\n ")
    if line.lower().startswith("sep=") and len(line) <= 5:
        return line[4:] or ","
    return None


def _fit(sample: str, delimiter: str) -> tuple[int, int]:
    """How many rows are as wide as the widest of the first rows, and how wide that is."""
    widths: list[int] = []
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True)
    with suppress(csv.Error):  # the rows before it tell enough
        for cells in islice(reader, _RECORDS):
            widths.append(len(cells))
    widest = max(widths, default=0)
    if widest < 2:
        return 0, widest
    return widths.count(widest), widest
