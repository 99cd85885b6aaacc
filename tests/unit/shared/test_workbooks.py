"""Workbooks as people have them, and as people make them to break a reader."""

import io
import zipfile

import pytest

from shared.files import workbook as reading
from shared.files import workbook_parts
from shared.files.lines import TableError
from shared.files.opening import Remark, opened
from shared.files.table import Row, Table
from tests.support.workbooks import DAY_STYLE, Cell, workbook

ANSWERS: list[list[Cell]] = [["account", "score", "date"], ["acmé", 9, f'<c s="{DAY_STYLE}"><v>46300</v></c>']]


def read(content: bytes, sheet: str | None = None) -> tuple[tuple[str, ...], list[Row], tuple[Remark, ...]]:
    with opened(io.BytesIO(content), sheet) as found:
        table = Table(found.file)
        rows = [row for row in table if isinstance(row, Row)]
        table.release()
        return table.header, rows, found.remarks


def refusal(content: bytes, sheet: str | None = None) -> tuple[str, str]:
    with pytest.raises(TableError) as refused:
        read(content, sheet)
    return refused.value.code, refused.value.detail


def test_a_sheet_is_read_as_a_table_with_its_dates() -> None:
    header, rows, remarks = read(workbook({"Answers": ANSWERS}))
    assert header == ("account", "score", "date")
    assert rows == [Row(2, ("acmé", "9", "2026-10-05"))]
    assert remarks == ()


def test_whole_numbers_are_written_as_such_and_flags_in_words() -> None:
    _, [row], remarks = read(workbook({"S": [["a", "b", "c", "d"], [12345678901.0, 9.5, True, 1234567890123456]]}))
    assert row.cells == ("12345678901", "9.5", "true", "1234567890123456")
    assert [remark.code for remark in remarks] == ["long_numbers"]


def test_lines_are_the_rows_of_the_sheet_also_after_empty_rows_and_line_breaks_in_cells() -> None:
    sheet: list[list[Cell]] = [[], ["account", "comment"], ["acme", "one\ntwo"], [], ["beta", "a;b"]]
    _, rows, _ = read(workbook({"S": sheet}))
    assert rows == [Row(3, ("acme", "one\ntwo")), Row(5, ("beta", "a;b"))]


def test_a_workbook_with_macros_is_read_and_its_macros_are_not() -> None:
    content = io.BytesIO(workbook({"S": ANSWERS}))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macros")
    _, rows, _ = read(content.getvalue())
    assert len(rows) == 1


def test_merged_names_of_columns_are_continued_to_the_right() -> None:
    merged = '<mergeCells count="2"><mergeCell ref="A1:B1"/><mergeCell ref="A2:B2"/></mergeCells>'
    header, rows, _ = read(workbook({"S": [["Account", None, "Score"], ["acme", None, 9]]}, tail=merged))
    assert header == ("Account", "Account", "Score")
    assert rows == [Row(2, ("acme", "", "9"))]


def test_of_several_sheets_the_one_is_asked_for() -> None:
    content = workbook({f"Month {month}": ANSWERS for month in range(1, 11)})
    code, detail = refusal(content)
    assert code == "several_sheets"
    assert "Month 10" in detail
    assert refusal(content, "Month 11")[0] == "unknown_sheet"
    assert len(read(content, "Month 3")[1]) == 1


def test_a_sheet_may_have_any_name() -> None:
    content = workbook({"März & Söhne": ANSWERS, "-c": ANSWERS, "日本": ANSWERS})
    for name in ("März & Söhne", "-c", "日本"):
        assert len(read(content, name)[1]) == 1


def test_empty_sheets_are_no_reason_to_ask() -> None:
    assert len(read(workbook({"Sheet1": ANSWERS, "Sheet2": [], "Sheet3": []}))[1]) == 1


def test_a_workbook_with_one_cell_in_a1_and_one_in_the_last_place_is_too_far_apart() -> None:
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    code, detail = refusal(workbook({"S": cells}))
    assert code == "too_far_apart"
    assert "too far apart: save as CSV" in detail


def test_errors_in_cells_are_named() -> None:
    code, detail = refusal(workbook({"S": [["a", "b"], ["acme", '<c t="e"><v>#REF!</v></c>']]}))
    assert (code, "B2" in detail) == ("error_cells", True)


def test_formulas_without_values_are_named_and_those_with_values_read() -> None:
    code, detail = refusal(workbook({"S": [["a", "b"], ["acme", "<c ><f>1+1</f></c>"]]}))
    assert (code, "B2" in detail) == ("formulas_without_values", True)
    _, [row], _ = read(workbook({"S": [["a", "b"], ["acme", "<c ><f>1+1</f><v>2</v></c>"]]}))
    assert row.cells == ("acme", "2")


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ('<x:row r="2"><x:c s="1" r="C2" t="e"><x:v>#N/A</x:v></x:c></x:row>', "error_cells"),
        ("<row r='2'><c r='C2' t='e'><v>#N/A</v></c></row>", "error_cells"),
        ('<row r="2"><c r="C2"><f t="shared" si="0"/></c></row>', "formulas_without_values"),
        ('<row r="2"><c r="C2" s="4"><f>A1</f><v/></c></row>', "formulas_without_values"),
        ('<row r="2"><c r="A2"><f>1</f><v>1</v></c><c r="C2"><f>A1</f></c></row>', "formulas_without_values"),
    ],
)
def test_cells_without_values_are_found_however_they_are_written(cells: str, code: str) -> None:
    found, detail = refusal(workbook({"S": cells}))
    assert found == code
    assert "C2" in detail
    assert "A2" not in detail


def test_an_archive_that_is_no_workbook_or_of_another_program_says_what_to_do() -> None:
    for name, content, code in (
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet", "other_workbook"),
        ("xl/workbook.bin", "", "unreadable_workbook"),
        ("xl/workbook.xml", "<broken", "unreadable_workbook"),
    ):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name, content)
        found, detail = refusal(packed.getvalue())
        assert found == code
        assert "CSV" in detail


def test_old_and_locked_workbooks_say_what_to_do() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    assert refusal(ole)[0] == "old_workbook"
    assert refusal(ole + "EncryptedPackage".encode("utf-16-le"))[0] == "workbook_locked"


def test_a_damaged_archive_is_refused() -> None:
    content = workbook({"S": ANSWERS})
    assert refusal(content[: len(content) // 2])[0] == "unreadable_workbook"
    assert refusal(b"PK\x03\x04" + bytes(100))[0] == "unreadable_workbook"


def test_days_counted_from_1904_are_not_guessed() -> None:
    assert refusal(workbook({"S": ANSWERS}, extra='<workbookPr date1904="1"/>'))[0] == "dates_from_1904"


def test_a_workbook_that_inflates_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_parts, "MOST_INFLATED", 100_000)
    cells = '<row r="1"><c r="A1"><v>1</v></c></row>' + " " * 200_000
    with zipfile.ZipFile(io.BytesIO(workbook({"S": cells}))) as parts:
        sheet = workbook_parts.choose(parts, None)
        with pytest.raises(workbook_parts.SheetRefused) as refused:
            workbook_parts.scan(parts, sheet)
    assert refused.value.code == "too_large_inside"


def test_a_large_workbook_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    assert refusal(workbook({"S": ANSWERS}))[0] == "workbook_too_large"


def test_the_death_of_the_child_is_an_unreadable_workbook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "COMMAND", ("-c", "import os; os.abort()"))
    assert refusal(workbook({"S": ANSWERS}))[0] == "unreadable_workbook"


def test_a_child_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(reading, "COMMAND", ("-c", "import threading; threading.Event().wait()"))
    assert refusal(workbook({"S": ANSWERS}))[0] == "unreadable_workbook"
