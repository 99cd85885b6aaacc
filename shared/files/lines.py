"""The encoding of a file, and its lines with the numbers that an editor shows."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, Final, Literal

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "cp1252"]
MAX_LINE = 1_000_000
_PIECE = 1 << 17
_SAMPLE = 4_096
_ERRORS: Final = {"utf-16": "surrogatepass"}


class TableError(Exception):
    """The file as a whole cannot be read; `code` is stable, the text is for people and repeats no cell."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def encoding_of(file: BinaryIO) -> Encoding:
    """The encoding: by the byte order mark, else UTF-8, else Windows-1252 where no character beyond ASCII is valid
    UTF-8. A file that mixes both is UTF-8 with damaged rows. Leaves the file at its start. Raises `TableError`."""
    file.seek(0)
    sample = file.read(_SAMPLE)
    file.seek(0)
    if not sample:
        raise TableError("empty_file", "the file is empty")
    if sample.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise TableError("unknown_encoding", "UTF-32 is not read; save the file as UTF-8")
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    # In the header only: a NUL further down costs its own row.
    if b"\x00" in sample.partition(b"\n")[0]:
        raise TableError(
            "unknown_encoding", "NUL bytes: UTF-16 without a byte order mark, or no text; save the file as UTF-8"
        )
    return _utf8_or_windows(file)


def _utf8_or_windows(file: BinaryIO) -> Encoding:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    invalid = False
    piece = file.read(_PIECE)
    while piece:
        text = decoder.decode(piece)
        piece = file.read(_PIECE)
        if text.isascii():
            continue
        beyond = {character for character in text if character > "\x7f"}
        if any(not "\udc80" <= character <= "\udcff" for character in beyond):
            file.seek(0)
            return "utf-8"
        invalid = True
    file.seek(0)
    if invalid or decoder.decode(b"", final=True):
        return "cp1252"
    return "utf-8"


def text_of(file: BinaryIO, encoding: Encoding) -> io.TextIOWrapper:
    """The file as text; bytes that cannot be decoded become lone surrogates."""
    return io.TextIOWrapper(file, encoding=encoding, errors=_ERRORS.get(encoding, "surrogateescape"), newline="")


def undecoded(text: str) -> bool:
    """Whether the text contains undecodable bytes (as lone surrogates)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class Lines:
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
