"""Delimited files as people have them: encodings, delimiters, broken quotes, ragged rows."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.files.delimiters import DELIMITERS
from shared.files.lines import MAX_LINE, TableError
from shared.files.table import BadRow, Header, Row, Table, first_rows


def read(content: bytes) -> tuple[Table, list[Row | BadRow]]:
    table = Table(io.BytesIO(content))
    return table, list(table)


PLAIN = "account;score\nacmé;9\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN.encode(), id="UTF-8"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN.encode(), id="UTF-8 with BOM"),
        pytest.param(PLAIN.encode("utf-16"), id="UTF-16 in the machine's order"),
        pytest.param(b"\xfe\xff" + PLAIN.encode("utf-16-be"), id="UTF-16 big-endian"),
        pytest.param(PLAIN.replace(";", ",").encode(), id="comma"),
        pytest.param(PLAIN.replace(";", "\t").encode(), id="tab"),
        pytest.param(PLAIN.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(PLAIN.replace("\n", "\r").encode(), id="CR alone"),
        pytest.param(PLAIN.rstrip("\n").encode(), id="no line end at the end"),
        pytest.param(PLAIN.encode("cp1252"), id="Windows-1252"),
        pytest.param(b'"account";"score"\n"acm\xc3\xa9";"9"\n', id="all quoted"),
    ],
)
def test_the_same_table_in_any_dress(content: bytes) -> None:
    table, rows = read(content)
    assert table.header == ("account", "score")
    assert rows == [Row(2, ("acmé", "9"))]


def test_line_numbers_count_lines_of_the_file_also_after_blank_lines_and_quoted_line_ends() -> None:
    _, rows = read(b'account,comment\n\nacme,"one\ntwo"\n,\nbeta,three\n')
    assert rows == [Row(3, ("acme", "one\ntwo")), Row(6, ("beta", "three"))]


def test_excels_sep_line_and_trailing_empty_columns_are_tolerated() -> None:
    table, rows = read(b"sep=;\naccount;score;;\nacme;9;;\nbeta;8\n")
    assert table.header == ("account", "score")
    assert rows == [Row(3, ("acme", "9")), Row(4, ("beta", "8"))]


def test_ragged_rows_are_reported_with_their_line_and_the_rest_is_read() -> None:
    _, rows = read(b"account,score\nacme\nbeta,8,extra\ngamma,7\n")
    assert [(row.line, row.code) for row in rows if isinstance(row, BadRow)] == [(2, "ragged_row"), (3, "ragged_row")]
    assert rows[-1] == Row(4, ("gamma", "7"))


def test_an_unclosed_quote_costs_its_own_row_only() -> None:
    _, rows = read(b'account,comment\nacme,"never closed\nbeta,fine\ngamma,fine too\n')
    assert isinstance(rows[0], BadRow)
    assert (rows[0].line, rows[0].code) == (2, "unclosed_quote")
    assert rows[1:] == [Row(3, ("beta", "fine")), Row(4, ("gamma", "fine too"))]


def test_an_unclosed_quote_before_another_quoted_cell_does_not_hide_rows() -> None:
    _, rows = read(b'account,comment\nacme,"open\nbeta,fine\ngamma,"closed, well"\n')
    assert [(row.line, row.code) for row in rows if isinstance(row, BadRow)] == [(2, "bad_quoting")]
    assert [row.cells for row in rows if isinstance(row, Row)] == [("beta", "fine"), ("gamma", "closed, well")]


def test_a_cell_over_131072_characters_is_reported_and_the_next_row_read() -> None:
    _, rows = read(b"account,comment\nacme," + b"x" * 140_000 + b"\nbeta,fine\n")
    assert isinstance(rows[0], BadRow)
    assert (rows[0].line, rows[0].code) == (2, "field_too_long")
    assert rows[1] == Row(3, ("beta", "fine"))


def test_damaged_bytes_in_a_file_of_utf8_cost_their_row() -> None:
    _, rows = read("account,score\nacmé,9\n".encode() + b"acm\xe9,9\nbeta,8\n")
    assert [row.code for row in rows if isinstance(row, BadRow)] == ["undecodable"]
    assert [row.line for row in rows if isinstance(row, Row)] == [2, 4]


def test_bytes_that_no_encoding_has_cost_their_row() -> None:
    _, rows = read(b"account,score\nacm\x81,9\nbeta,8\n")
    assert isinstance(rows[0], BadRow)
    assert (rows[0].code, rows[1]) == ("undecodable", Row(3, ("beta", "8")))


def test_the_encoding_is_told_by_the_whole_file_and_not_by_its_beginning() -> None:
    table, rows = read(b"account,score\n" + b"acme,9\n" * 30_000 + "acmé,9\n".encode("cp1252"))
    assert (table.encoding, rows[-1]) == ("cp1252", Row(30_002, ("acmé", "9")))


def test_a_header_with_line_breaks_and_quotes_is_one_row_of_names() -> None:
    table, rows = read(b'account,"How likely,\r\n""on a scale""\nof 10?",comment\nacme,9,x\n')
    assert table.header == ("account", 'How likely, "on a scale" of 10?', "comment")
    assert rows == [Row(4, ("acme", "9", "x"))]


def test_the_delimiter_is_the_one_that_makes_rows_as_wide_as_the_header() -> None:
    table, rows = read(b"account;How likely, on a scale, with 10, the best?\nacme;9\nbeta;8\n")
    assert (table.delimiter, rows[0]) == (";", Row(2, ("acme", "9")))
    table, _ = read(b"account;score;comment\nacme;9;good, quick, cheap, near\nbeta;8;slow\n")
    assert table.delimiter == ";"


def test_names_may_take_several_rows_and_come_after_a_title() -> None:
    content = b"Feedback of May\n\nID,How likely?,,Why?\n,Response,Other,Open\n7,9,,x\n"
    header = Header(before=1, rows=2, named_by=2, unsaid=frozenset({"Response", "Open"}))
    table = Table(io.BytesIO(content), header)
    assert table.header == ("ID", "How likely?", "How likely?: Other", "Why?")
    assert list(table) == [Row(5, ("7", "9", "", "x"))]


def test_the_first_rows_are_those_that_say_something() -> None:
    file = io.BytesIO(b"sep=;\nTitle\n\nID;Score\n1;9\n2;8\n")
    assert first_rows(file, 3) == [["Title"], ["ID", "Score"], ["1", "9"]]
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\n \n", "empty_file"),
        (b";;;\n", "empty_file"),
        (b'"account;score\nacme;9\n', "bad_header"),
        ("account;score\n".encode("utf-16-le"), "unknown_encoding"),
        ("account;score\n".encode("utf-32"), "unknown_encoding"),
        (b"PK\x03\x04\x00\x00\x00\x00", "unknown_encoding"),
        ("acc\u00e9unt;".encode() + b"sc\xe9re\n", "unknown_encoding"),
        (b"sep=;\nacc\x00unt;score\n", "bad_header"),
        (b"x" * (MAX_LINE + 1), "line_too_long"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(content: bytes, code: str) -> None:
    with pytest.raises(TableError) as refused:
        read(content)
    assert refused.value.code == code


def test_a_header_alone_gives_no_rows() -> None:
    table, rows = read(b"account,score\n")
    assert table.header == ("account", "score")
    assert rows == []


def test_memory_does_not_grow_with_the_file() -> None:
    line = b"acme,some words of a comment\n"
    content = io.BytesIO(b"account,comment\n" + line * 200_000)
    tracemalloc.start()
    try:
        count = sum(1 for _ in Table(content))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 200_000
    assert peak < 1_000_000


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.sampled_from(",;\t\"'\n"), max_size=12)


@given(
    rows=st.integers(2, 5).flatmap(lambda width: st.lists(st.tuples(*[CELL] * width), min_size=1, max_size=6)),
    delimiter=st.sampled_from(DELIMITERS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_writer_of_csv_writes_is_read_as_it_was(
    rows: list[tuple[str, ...]], delimiter: str, encoding: str, line_end: str
) -> None:
    names = tuple(f"Question {place}, of (1=best)?" for place, _ in enumerate(rows[0]))
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows([names, *rows])
    table, found = read(written.getvalue().encode(encoding))
    assert (table.header, table.delimiter) == (names, delimiter)
    assert [row.cells for row in found if isinstance(row, Row)] == [row for row in rows if "".join(row).strip()]
    line = 2
    for row in rows:
        if "".join(row).strip():
            assert found.pop(0).line == line
        line += 1 + "".join(row).count("\n")
