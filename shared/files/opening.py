"""Any file that people send as a delimited text: gzip is inflated, a sheet of a workbook is written out, and the rest
is a text already."""

import asyncio
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import starmap
from tempfile import TemporaryFile
from typing import BinaryIO

from shared.files.lines import TableError
from shared.files.workbook import WORKBOOK_SIGNS, write_sheet

MOST_BYTES = 512 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"{\\rtf": "a text document",
    b"{": "JSON",
    b"[{": "JSON",
    b"<": "a web page or XML",
    b"PAR1": "Parquet",
    b"7z\xbc\xaf": "an archive",
    b"Rar!": "an archive",
    b"BZh": "an archive",
    b"\xfd7zXZ": "an archive",
    b"\x28\xb5\x2f\xfd": "an archive",
}
"""How files begin that hold no table for us."""
_PIECE = 1 << 17


@dataclass(frozen=True, slots=True)
class Remark:
    """What whoever sent the file should know although it was taken; `code` is stable."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A delimited text, at its start. It may be the very file that was given."""

    file: BinaryIO
    remarks: tuple[Remark, ...] = ()


def turn(file: BinaryIO, opening: asyncio.Semaphore) -> AbstractAsyncContextManager[object]:
    """What to hold while a file is opened. Workbooks are opened one at a time: each takes seconds and a process of its
    own, which may take two gigabytes of memory. Other files wait for nothing."""
    file.seek(0)
    if file.read(8).startswith(WORKBOOK_SIGNS):
        return opening
    return nullcontext()


@contextmanager
def opened(file: BinaryIO, sheet: str | None = None, most_bytes: int = MOST_BYTES) -> Iterator[Opened]:
    """The delimited text of a file. `sheet` names the sheet of a workbook that has several. Not on the event loop: a
    workbook takes seconds. Raises `TableError` with what to do."""
    file.seek(0)
    sign = file.read(8)
    file.seek(0)
    if sheet is not None and not sign.startswith(WORKBOOK_SIGNS):
        raise TableError("no_sheets", "only a workbook has sheets; leave sheet out")
    if not sign.startswith((*WORKBOOK_SIGNS, _GZIP)):
        _refuse_others(sign)
        yield Opened(file)
        return
    with TemporaryFile() as text:
        remarks: Sequence[Remark] = ()
        if sign.startswith(_GZIP):
            _inflate(file, text, most_bytes)
        else:
            remarks = list(starmap(Remark, write_sheet(file, text, sheet)))
        text.seek(0)
        yield Opened(text, tuple(remarks))


def _refuse_others(sign: bytes) -> None:
    for begin, what in _OTHERS.items():
        if sign.lstrip().startswith(begin):
            raise TableError("no_table", f"the file is {what}, and no table: send CSV or an Excel workbook (.xlsx)")


def _inflate(file: BinaryIO, text: BinaryIO, most_bytes: int) -> None:
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as packed:
            while piece := packed.read(_PIECE):
                text.write(piece)
                if text.tell() > most_bytes:
                    raise TableError(
                        "too_large_inside",
                        f"the file has more than {most_bytes >> 20} MB when it is unpacked; send it in parts",
                    )
    except (OSError, EOFError, zlib.error):
        raise TableError("unreadable_gzip", "the file cannot be unpacked: pack it again, or send it as CSV") from None
