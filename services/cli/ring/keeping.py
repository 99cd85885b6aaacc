"""The ring in the data folder's file, which Tellback changes itself. Where the operator sets the ring, nothing is
written."""

import secrets
from collections.abc import Sequence

from services.cli.connection import named_elsewhere
from services.cli.folder import DataFolder
from services.cli.paths import write_private
from shared.errors import Conflict
from shared.key_ring import secret_keys, split_ring


def is_ours(folder: DataFolder) -> bool:
    """Whether the commands and services on this data folder take the ring from its file."""
    return folder.secret_key.exists() and not named_elsewhere("TELLBACK_SECRET_KEY")


def add_key(folder: DataFolder) -> bool:
    """Put a new key before the others; False where an older key is there already, whose rotation is not finished."""
    ring = split_ring(folder.secret_key.read_text(encoding="utf-8"))
    if len(secret_keys(ring)) > 1:
        return False
    _write(folder, (secrets.token_urlsafe(48), *ring))
    return True


def replace(folder: DataFolder, before: Sequence[str], ring: Sequence[str]) -> None:
    """Replace the ring. Raises Conflict where it is not that of before any more."""
    if split_ring(folder.secret_key.read_text(encoding="utf-8")) != tuple(before):
        raise Conflict("ring_changed", f"{folder.secret_key} has just been changed: run the command again")
    _write(folder, ring)


def _write(folder: DataFolder, ring: Sequence[str]) -> None:
    folder.refuse_other_owner()
    write_private(folder.secret_key, "\n".join(ring) + "\n")
