"""Where a service keeps a file for as long as a request or a step of an import takes: below its data folder. The
system's folder often is memory, and an upload has up to 512 MB."""

import shutil
import tempfile
from pathlib import Path

from shared.telemetry.logging import get_logger

NAME = "temporary"
"""The folder within the data folder."""

log = get_logger(__name__)


def empty(data_dir: Path | None) -> None:
    """Delete what a process that was killed has left: before the first process of the service works."""
    if data_dir is not None:
        shutil.rmtree(data_dir / NAME, ignore_errors=True)


def keep_in(data_dir: Path | None) -> None:
    """Let this process keep its temporary files there. Without a data folder, or where it cannot be written, they stay
    in the system's."""
    if data_dir is None:
        return
    folder = data_dir / NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        log.info("temporary_files_elsewhere", folder=tempfile.gettempdir(), reason=error.strerror)
        return
    tempfile.tempdir = str(folder)
