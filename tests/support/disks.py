"""Small real disks, for tests of what happens when one is full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.needs import needs_root

MEGABYTE = 1024 * 1024


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """A file system of this size, mounted for the block; the test is skipped where none may be mounted."""
    needs_root()
    at.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", at], check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"no file system may be mounted here: {done.stderr.decode().strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def fill(folder: Path, megabytes: int) -> Path:
    """A file of this size in the folder."""
    file = folder / f"{megabytes}-megabytes"
    file.write_bytes(bytes(megabytes * MEGABYTE))
    return file
