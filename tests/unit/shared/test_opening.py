"""Packed files are read as what is in them."""

import gzip
import io
from tempfile import SpooledTemporaryFile

import pytest

from shared.files.lines import TableError
from shared.files.opening import opened
from shared.files.table import Row, Table


def refusal(content: bytes, sheet: str | None = None, most_bytes: int = 1_000) -> str:
    with pytest.raises(TableError) as refused, opened(io.BytesIO(content), sheet, most_bytes):
        pass
    return refused.value.code


def test_a_packed_file_is_unpacked_and_not_written_to() -> None:
    """An upload lies in a file that is open for both."""
    with SpooledTemporaryFile() as file:
        file.write(gzip.compress(b"account,score\nacme,9\n", mtime=0))
        with opened(file) as found:  # type: ignore[arg-type]
            table = Table(found.file)
            assert list(table) == [Row(2, ("acme", "9"))]
            table.release()


def test_a_plain_file_is_taken_as_it_is() -> None:
    file = io.BytesIO(b"account,score\n")
    with opened(file) as found:
        assert found.file is file


def test_a_packed_file_that_grows_without_end_is_refused() -> None:
    assert refusal(gzip.compress(bytes(2_000_000))) == "too_large_inside"


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b", gzip.compress(b"x" * 500, mtime=0)[:-9], b"\x1f\x8b\x08\x00" + b"\xff" * 40], ids=repr
)
def test_a_damaged_packed_file_is_refused(content: bytes) -> None:
    assert refusal(content) == "unreadable_gzip"


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b'{"score": 9}', b"\n<html>", b'[{"a": 1}]', b"PAR1\x15\x04"],
    ids=repr,
)
def test_a_file_of_another_type_is_named_with_what_to_send_instead(content: bytes) -> None:
    assert refusal(content) == "no_table"


def test_a_file_without_sheets_has_none_to_name() -> None:
    assert refusal(b"account,score\n", sheet="May") == "no_sheets"
