"""Room on the disks where Kafka and PostgreSQL keep their data, as far as this machine sees them."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import disk_free_bytes, disk_low

log = get_logger(__name__)
LOOK_SECONDS = 5.0
"""Ten thousand answers a second fill some 250 MB between two looks."""
ENOUGH = 1.2
"""Taking in goes on when so many times the low-water mark is free, so that it does not stop and go at the mark."""
MEGABYTE = 1024 * 1024


class DiskSpace:
    """Looks at the disks of `folders`. They are low while the scarcest has less than `mark` bytes free, and until it
    has a fifth more than that. With a mark of 0, or without folders, they never are."""

    def __init__(self, folders: Sequence[Path], mark: int) -> None:
        self._folders = folders
        self._mark = mark
        self._scarcest: tuple[Path, int] | None = None
        self.low = False

    async def look(self) -> None:
        """Measure, and set the metrics. Raises OSError for a folder that may not be looked at."""
        if not self._folders:
            return
        self._scarcest = folder, free = await asyncio.to_thread(scarcest, self._folders)
        disk_free_bytes.set(free)
        enough = self._mark
        if self.low:
            enough = int(self._mark * ENOUGH)
        was_low, self.low = self.low, free < enough
        disk_low.set(self.low)
        if self.low and not was_low:
            log.error("disk_low", folder=str(folder), free_mb=free // MEGABYTE, mark_mb=self._mark // MEGABYTE)
        elif was_low and not self.low:
            log.info("disk_has_room_again", folder=str(folder), free_mb=free // MEGABYTE)

    @property
    def remark(self) -> str | None:
        """What people are told while the disk is low; None else."""
        if not self.low or self._scarcest is None:
            return None
        folder, free = self._scarcest
        wanted = int(self._mark * ENOUGH) // MEGABYTE
        return (
            f"disk_low: {free // MEGABYTE:,} MB are free at {folder}; nothing is taken in until it is {wanted:,} MB:"
            " make room (docs/operations.md)"
        )


def scarcest(folders: Sequence[Path]) -> tuple[Path, int]:
    """The folder whose disk has the fewest bytes free for users other than root, and how many. A folder that does not
    exist yet counts as the one that it will be in."""
    found = []
    for path in folders:
        existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        found.append((shutil.disk_usage(existing).free, existing))
    free, folder = min(found)
    return folder, free
