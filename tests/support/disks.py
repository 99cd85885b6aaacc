"""Small real disks, for tests of what happens when one is full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.needs import needs_mounts

MEGABYTE = 1024 * 1024


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """A file system of this size, mounted for the block; the test is skipped where none may be mounted."""
    needs_mounts(at.parent)
    at.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def fill(folder: Path, megabytes: int) -> Path:
    """A file of this size in the folder."""
    file = folder / f"{megabytes}-megabytes"
    file.write_bytes(bytes(megabytes * MEGABYTE))
    return file
