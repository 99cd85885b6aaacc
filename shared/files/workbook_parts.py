"""What a workbook is made of, seen before it is read: its sheets, how far apart their cells are, and cells whose values
are missing. Counts what comes out of the archive, since the sizes that it declares may lie."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from xml.etree import ElementTree

MOST_INFLATED = 1 << 30
MOST_CELLS = 10_000_000
_NAMED_CELLS = 5
_PIECE = 1 << 16
_LONGEST_ROW = 64 << 20
_CELL = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\sr=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_MAYBE_ERROR = re.compile(rb"""t=["']e["']""")
_ERROR = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\st=["']e["'][^>]*>""")
_MAYBE_FORMULA = re.compile(rb"[<:]f\b")
_NO_VALUE = re.compile(
    rb"<(?:\w+:)?c\b[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>\s*)?</(?:\w+:)?c>"
)
"""A cell with its place, one that holds an error, and one whose formula was never calculated. Patterns, since a
parser of XML takes several times as long for millions of cells; what evades them ends the process of the sheet."""
_SAVE = "save the sheet as CSV and send that"


class SheetRefused(Exception):
    """Why a sheet is not read: a stable code, and what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet by the name that people see, and its part of the archive."""

    name: str
    part: str


def choose(parts: zipfile.ZipFile, name: str | None) -> Sheet:
    """The sheet of this name, or the only one that holds anything. Raises `SheetRefused`."""
    names = set(parts.namelist())
    if "mimetype" in names:
        raise SheetRefused("other_workbook", f"this is no .xlsx: save it as .xlsx, or {_SAVE}")
    if "xl/workbook.xml" not in names:
        raise SheetRefused("unreadable_workbook", f"this is no .xlsx workbook: unpack an archive first, or {_SAVE}")
    sheets = [sheet for sheet in _visible_sheets(parts) if sheet.part in names]
    if name is not None:
        sheets = [sheet for sheet in sheets if sheet.name == name]
        if not sheets:
            raise SheetRefused("unknown_sheet", "the workbook has no sheet of this name")
        return sheets[0]
    filled = [sheet for sheet in sheets if _has_cells(parts, sheet)]
    if not filled:
        raise SheetRefused("empty_file", "the workbook has no cells")
    if len(filled) > 1:
        named = ", ".join(sheet.name for sheet in filled[:20])
        raise SheetRefused("several_sheets", f"the workbook has several sheets; name one with sheet: {named}")
    return filled[0]


def _visible_sheets(parts: zipfile.ZipFile) -> Iterator[Sheet]:
    """The sheets that are shown, in their order. Raises `SheetRefused` where days are counted from 1904."""
    targets = {
        link.get("Id"): posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
        for link in _tree(parts, "xl/_rels/workbook.xml.rels")
    }
    for element in _tree(parts, "xl/workbook.xml").iter():
        kind = element.tag.rpartition("}")[2]
        if kind == "workbookPr" and element.get("date1904") in ("1", "true"):
            raise SheetRefused("dates_from_1904", f"the workbook counts its days from 1904; {_SAVE}")
        if kind == "sheet" and element.get("state", "visible") == "visible":
            part = next((value for key, value in element.items() if key.endswith("}id")), None)
            yield Sheet(element.get("name", ""), targets.get(part, ""))


def _tree(parts: zipfile.ZipFile, part: str) -> ElementTree.Element:
    try:
        content = b"".join(_pieces(parts, part))
        return ElementTree.fromstring(content)  # noqa: S314 - in a process with limits
    except (KeyError, ElementTree.ParseError):
        raise SheetRefused("unreadable_workbook", f"the workbook is damaged; {_SAVE}") from None


def _pieces(parts: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The content of a part. Raises `SheetRefused` for more than a workbook may have."""
    size = 0
    try:
        with parts.open(part) as content:
            while piece := content.read(_PIECE):
                size += len(piece)
                if size > MOST_INFLATED:
                    raise SheetRefused("too_large_inside", f"the workbook is too large inside; {_SAVE}")
                yield piece
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError):
        raise SheetRefused("unreadable_workbook", f"the workbook is damaged or locked; {_SAVE}") from None


def _has_cells(parts: zipfile.ZipFile, sheet: Sheet) -> bool:
    before = b""
    for piece in _pieces(parts, sheet.part):
        if b"<c " in before + piece or b":c " in before + piece or b"<c>" in before + piece:
            return True
        before = piece[-3:]
    return False


@dataclass(slots=True)
class _Seen:
    """The cells of a sheet: how many, the last row and column, and the first of those without a value."""

    cells: int = 0
    last_row: int = 0
    last_column: int = 0
    errors: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def look(self, rows: bytes) -> None:
        """Count the cells of some rows."""
        places = _CELL.findall(rows)
        if not places:
            return
        columns, numbers = zip(*places, strict=True)
        self.cells += len(places)
        self.last_row = max(self.last_row, *map(int, set(numbers)))
        self.last_column = max(self.last_column, *map(number, set(columns)))
        if _MAYBE_ERROR.search(rows):
            self.errors += _places(_ERROR, rows, _NAMED_CELLS - len(self.errors))
        if _MAYBE_FORMULA.search(rows):
            self.missing += _places(_NO_VALUE, rows, _NAMED_CELLS - len(self.missing))


def _places(pattern: re.Pattern[bytes], rows: bytes, most: int) -> list[str]:
    """The places of the first cells that the pattern finds."""
    found = []
    for cell in islice(pattern.finditer(rows), most):
        found += [f"{column.decode()}{row.decode()}" for column, row in _CELL.findall(cell[0])]
    return found


def scan(parts: zipfile.ZipFile, sheet: Sheet) -> None:
    """Raises `SheetRefused` for a sheet that cannot be read whole: too large, with errors, or not calculated."""
    for shared in ("xl/sharedStrings.xml", "xl/styles.xml"):
        if shared in parts.namelist():
            for _ in _pieces(parts, shared):
                pass
    seen = _Seen()
    for rows in _rows(_pieces(parts, sheet.part)):
        seen.look(rows)
    area = seen.last_row * seen.last_column
    if area > MOST_CELLS and seen.cells < area // 10:
        raise SheetRefused("too_far_apart", "the cells of the sheet are too far apart: save as CSV")
    if area > MOST_CELLS:
        raise SheetRefused("too_many_cells", f"a sheet has at most {MOST_CELLS:,} cells; {_SAVE}")
    if seen.errors:
        raise SheetRefused("error_cells", f"mend or clear the errors (such as #REF!) in {', '.join(seen.errors)}")
    if seen.missing:
        raise SheetRefused(
            "formulas_without_values",
            f"formulas have no values: {', '.join(seen.missing)}; open the file in Excel, save it, and send it again",
        )


def _rows(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The content of a sheet in pieces that end with rows."""
    rest = b""
    for piece in pieces:
        rest += piece
        end = rest.rfind(b"row>")
        if end > 0:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > _LONGEST_ROW:
            raise SheetRefused("unreadable_workbook", f"the sheet has a row without an end; {_SAVE}")
    yield rest


def letters(column: int) -> str:
    """The letters of a column: 1 is A, 27 is AA."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def number(column: bytes) -> int:
    """The number of a column by its letters."""
    result = 0
    for letter in column:
        result = 26 * result + letter - ord("A") + 1
    return result
