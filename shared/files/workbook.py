"""A sheet of an Excel workbook as delimited text, written by a child process with limits (`workbook_child`): a workbook
may be made to use up the memory or to crash its reader, and then only the child ends."""

import json
import os
import shutil
import subprocess
import sys
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from shared.files.lines import TableError

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
WORKBOOK_SIGNS = (_ZIP, _OLE)
MOST_BYTES = 50 * 1024 * 1024
MOST_SECONDS = 120.0
"""A child that waits for a busy processor is ended after this; the processor's own time is limited in the child."""
COMMAND = ("-P", "-m", "shared.files.workbook_child")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SAVE = "save the sheet as CSV and send that"


def write_sheet(file: BinaryIO, text: BinaryIO, sheet: str | None) -> list[tuple[str, str]]:
    """Write a sheet of the workbook `file` to the file `text`; returns remarks (code, detail). Raises `TableError`."""
    with TemporaryFile() as workbook:
        shutil.copyfileobj(file, workbook)
        if workbook.tell() > MOST_BYTES:
            raise TableError("workbook_too_large", f"a workbook has at most {MOST_BYTES >> 20} MB; {_SAVE}")
        workbook.seek(0)
        if workbook.read(4) == _OLE:
            raise _old_or_locked(workbook)
        return _written(workbook, text, sheet)


def _old_or_locked(workbook: BinaryIO) -> TableError:
    workbook.seek(0)
    if _ENCRYPTED in workbook.read():
        return TableError("workbook_locked", "the workbook has a password; save it without one")
    return TableError("old_workbook", f"this is no .xlsx: save it as .xlsx, or {_SAVE}")


def _written(workbook: BinaryIO, text: BinaryIO, sheet: str | None) -> list[tuple[str, str]]:
    """Let a child write the text of a sheet; returns its remarks."""
    workbook.flush()
    os.lseek(workbook.fileno(), 0, os.SEEK_SET)  # seek() may move within its buffer alone; the child has the descriptor
    command = [sys.executable, *COMMAND]
    if sheet is not None:
        command.append(sheet)
    try:
        child = subprocess.run(  # noqa: S603 - our own module; the sheet is an argument that nothing interprets
            command, stdin=workbook, stdout=text, stderr=subprocess.PIPE, env={}, timeout=MOST_SECONDS, check=False
        )
        told: dict[str, Any] = json.loads(child.stderr.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        raise TableError("unreadable_workbook", f"the workbook cannot be read; {_SAVE}") from None
    if child.returncode or "code" in told:
        raise TableError(told.get("code", "unreadable_workbook"), told.get("detail", f"it cannot be read; {_SAVE}"))
    return [(code, detail) for code, detail in told["remarks"]]
