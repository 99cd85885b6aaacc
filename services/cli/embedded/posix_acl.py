"""Lets one other user traverse folders that are closed to everybody else.

Root starts PostgreSQL as a user of its own, and root's folders are often closed (`/root`, `mktemp -d`). One entry in
the folder's access control list lets that user traverse it, not list or read it, and grants nothing to others.
"""

import os
import stat
import struct
from pathlib import Path

ATTRIBUTE = "system.posix_acl_access"
VERSION = struct.pack("<I", 2)
ENTRY = struct.Struct("<HHI")  # tag, permissions, id
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NO_ID = 0xFFFFFFFF
SEARCH = 0x1

Entry = tuple[int, int, int]


def grant_passage(target: Path, uid: int) -> None:
    """Let `uid` reach `target`: every closed folder above it gets an entry for this user.

    Raises OSError, naming the folder, where the file system has no access control lists.
    """
    for folder in reversed(target.absolute().parents):
        status = folder.stat()
        if status.st_mode & stat.S_IXOTH or status.st_uid == uid:
            continue
        entries = read_entries(folder, status.st_mode)
        wanted = _with(entries, uid)
        if entries != wanted:
            os.setxattr(folder, ATTRIBUTE, VERSION + b"".join(ENTRY.pack(*entry) for entry in wanted))


def read_entries(folder: Path, mode: int) -> list[Entry]:
    """The folder's access control list as (tag, permissions, id); where it has none, the equivalent of `mode`."""
    try:
        raw = os.getxattr(folder, ATTRIBUTE)
    except OSError:  # no access control list yet: the mode is equivalent
        return [(USER_OBJ, mode >> 6 & 7, NO_ID), (GROUP_OBJ, mode >> 3 & 7, NO_ID), (OTHER, mode & 7, NO_ID)]
    return list(ENTRY.iter_unpack(raw[len(VERSION) :]))


def _with(entries: list[Entry], uid: int) -> list[Entry]:
    """The entries with search permission for `uid` and in the mask, in the order that the kernel requires."""
    kept, masks = [], {}
    for entry in entries:
        tag, granted, owner = entry
        if tag in (MASK, GROUP_OBJ):
            masks[tag] = granted
        if tag != MASK and (tag, owner) != (USER, uid):
            kept.append(entry)
    mask = masks.get(MASK, masks[GROUP_OBJ]) | SEARCH
    return sorted([*kept, (USER, SEARCH, uid), (MASK, mask, NO_ID)], key=lambda entry: (entry[0], entry[2]))
