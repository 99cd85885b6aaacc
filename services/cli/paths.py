"""Where things lie on this machine: the data folder of an installation, the cache that all of them share."""

import os
from pathlib import Path
from tempfile import TemporaryFile

SYSTEM_DATA = Path("/var/lib/tellback")
SYSTEM_CACHE = Path("/var/cache/tellback")
PROBE_BYTES = 1_000_000
"""Less room than this is as good as none: Kafka and PostgreSQL write more at a time."""


def default_data_dir() -> Path:
    """`TELLBACK_DATA_DIR`, else `$XDG_DATA_HOME/tellback` (usually `~/.local/share/tellback`).

    For root it is `/var/lib/tellback`: PostgreSQL then runs as another user, who may not enter root's home.
    """
    if named := os.environ.get("TELLBACK_DATA_DIR"):
        return Path(named).expanduser()
    if os.geteuid() == 0:
        return SYSTEM_DATA
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "tellback"


def cache_dir() -> Path:
    """What was fetched once: `TELLBACK_CACHE_DIR`, else `$XDG_CACHE_HOME/tellback` (`~/.cache/tellback`)."""
    if named := os.environ.get("TELLBACK_CACHE_DIR"):
        return Path(named).expanduser()
    if os.geteuid() == 0 and "XDG_CACHE_HOME" not in os.environ:
        return SYSTEM_CACHE
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tellback"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def unwritable(folder: Path) -> str | None:
    """Why nothing more can be written to a folder, in the words of the system; None where it can."""
    try:
        with TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
    except OSError as error:
        return error.strerror
    return None
