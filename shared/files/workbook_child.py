"""The process that reads a workbook: from standard input, one sheet as delimited text to standard output, and what is
to be told as JSON to standard error. Started by `shared/files/workbook.py`; it sees none of our environment."""

import csv
import io
import json
import os
import resource
import sys
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any

from python_calamine import CalamineSheet, CalamineWorkbook

from shared.files.delimiters import WORKBOOK
from shared.files.workbook_parts import Sheet, SheetRefused, choose, scan

LIMITS = {resource.RLIMIT_AS: 2 << 30, resource.RLIMIT_FSIZE: 512 << 20, resource.RLIMIT_CPU: 60}
"""Bytes of memory, bytes of output, seconds of processor time."""
EXACT = 10**15
"""Sheets keep 15 digits of a number."""


def main(arguments: Sequence[str]) -> int:
    """Write a sheet, the one that is named or the only one; returns the exit code."""
    for limit, most in LIMITS.items():
        with suppress(ValueError, OSError):  # macOS bounds no memory
            resource.setrlimit(limit, (most, most))
    content = sys.stdin.buffer.read()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            sheet = choose(parts, next(iter(arguments), None))
            scan(parts, sheet)
        remarks = _write(content, sheet)
    except SheetRefused as refused:
        return _tell({"code": refused.code, "detail": refused.detail}, 1)
    except OSError:
        return _tell({"code": "too_large_inside", "detail": "the sheet is too large; save it as CSV"}, 1)
    return _tell({"remarks": remarks}, 0)


def _tell(told: dict[str, object], code: int) -> int:
    sys.stderr.write(json.dumps(told) + "\n")
    return code


def _write(content: bytes, sheet: Sheet) -> list[tuple[str, str]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    table = book.get_sheet_by_name(sheet.name)
    rows = table.to_python(skip_empty_area=False)
    _fill_merged(table, rows)
    rounded = 0
    with os.fdopen(os.dup(1), "w", encoding="utf-8", newline="") as text:
        text.write(f"sep={WORKBOOK}\n")
        writer = csv.writer(text, delimiter=WORKBOOK, lineterminator="\n")
        for row in rows:
            rounded += sum(map(_is_rounded, row))
            writer.writerow(map(_text, row))
    if rounded:
        return [("long_numbers", f"{rounded} cells hold numbers of more than 15 digits, which Excel rounds")]
    return []


def _fill_merged(table: CalamineSheet, rows: list[list[Any]]) -> None:
    """Continue merged cells of the first row that says anything to the right: names of columns."""
    first = next((place for place, row in enumerate(rows) if any(cell != "" for cell in row)), None)
    for (top, left), (bottom, right) in table.merged_cell_ranges or ():
        if top == bottom == first:
            rows[top][left : right + 1] = [rows[top][left]] * (right + 1 - left)


def _is_rounded(cell: object) -> bool:
    return isinstance(cell, float) and abs(cell) >= EXACT


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
