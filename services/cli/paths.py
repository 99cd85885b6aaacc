"""The folders of this machine: the data folder of an installation, and the cache that all installations share."""

import os
from pathlib import Path
from tempfile import TemporaryFile

SYSTEM_DATA = Path("/var/lib/tellback")
SYSTEM_CACHE = Path("/var/cache/tellback")
PROBE_BYTES = 1_000_000
"""Less free space than this counts as none: Kafka and PostgreSQL write more at once."""


def default_data_dir() -> Path:
    """`TELLBACK_DATA_DIR`, else `$XDG_DATA_HOME/tellback` (usually `~/.local/share/tellback`).

    For root it is `/var/lib/tellback`: PostgreSQL, or everything, then runs as another user, who may not enter root's
    home.
    """
    if named := os.environ.get("TELLBACK_DATA_DIR"):
        return Path(named).expanduser()
    if os.geteuid() == 0:
        return SYSTEM_DATA
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "tellback"


def cache_dir() -> Path:
    """The cache of downloads: `TELLBACK_CACHE_DIR`, else `$XDG_CACHE_HOME/tellback` (`~/.cache/tellback`)."""
    if named := os.environ.get("TELLBACK_CACHE_DIR"):
        return Path(named).expanduser()
    if os.geteuid() == 0 and "XDG_CACHE_HOME" not in os.environ:
        return SYSTEM_CACHE
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tellback"


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, and those above it that are missing, their names on the disk."""
    if folder.exists():
        return
    make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, atomically, and onto the disk: it is there after a power cut."""
    write_private_bytes(path, text.encode())


def write_private_bytes(path: Path, content: bytes) -> None:
    """Write bytes that only the file's owner may read, atomically, and onto the disk."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder be on the disk: a new file can be lost in a power cut without its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritable(folder: Path) -> str | None:
    """Why a folder cannot be written to, in the system's words; None where it can."""
    try:
        with TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
    except OSError as error:
        return error.strerror
    return None
