"""Workbooks (.xlsx) written by hand, so that tests may also make broken ones."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from shared.files.workbook_parts import letters

Cell = str | int | float | bool | None
"""Text, numbers and flags; a text that begins with `<` is XML of its own."""
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DAY_STYLE = 1
"""The style of cells that hold days: `<c r="A1" s="1"><v>46300</v></c>`."""
_STYLES = (
    f'<styleSheet {_MAIN}><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/>'
    '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def workbook(
    sheets: Mapping[str, Sequence[Sequence[Cell]] | str], extra: str = "", tail: str = "", compress: bool = True
) -> bytes:
    """A workbook of sheets: rows of cells, or the XML within `sheetData`. `extra` goes into workbook.xml, `tail` behind
    the cells of each sheet."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType='
        f'"{_TYPE}.sheet.main+xml"/><Default Extension="rels" ContentType="application/xml"/></Types>',
        "_rels/.rels": _links({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/_rels/workbook.xml.rels": _links(
            {f"rId{place}": ("worksheet", f"worksheets/sheet{place}.xml") for place, _ in enumerate(sheets, 1)}
            | {"rIdS": ("styles", "styles.xml")}
        ),
        "xl/styles.xml": _STYLES,
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_LINKS}">{extra}<sheets>'
        + "".join(
            f'<sheet name="{escape(name)}" sheetId="{place}" r:id="rId{place}"/>'
            for place, name in enumerate(sheets, 1)
        )
        + "</sheets></workbook>",
    }
    for place, rows in enumerate(sheets.values(), 1):
        data = rows if isinstance(rows, str) else _rows(rows)
        parts[f"xl/worksheets/sheet{place}.xml"] = f"<worksheet {_MAIN}><sheetData>{data}</sheetData>{tail}</worksheet>"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def _links(targets: Mapping[str, tuple[str, str]]) -> str:
    links = "".join(
        f'<Relationship Id="{key}" Type="{_LINKS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def _rows(rows: Sequence[Sequence[Cell]]) -> str:
    return "".join(
        f'<row r="{line}">{"".join(_cell(f"{letters(place)}{line}", cell) for place, cell in enumerate(row, 1))}</row>'
        for line, row in enumerate(rows, 1)
        if row
    )


def _cell(place: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, int | float):
        return f'<c r="{place}"><v>{cell}</v></c>'
    if cell.startswith("<c "):
        return cell.replace("<c ", f'<c r="{place}" ', 1)
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
