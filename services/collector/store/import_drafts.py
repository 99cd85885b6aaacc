"""Drafts of imports: files that were sent and are not taken yet, in pieces as those of imports."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from services.collector.domain.columns import Kind
from shared.db.pieces import delete_piece
from shared.db.transaction import ReadTx, WriteTx

FORGOTTEN_AT_ONCE = 10
"""Drafts; their files go with them, of half a gigabyte at the most."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that waits for its sender to begin it; `created_by` is the key that sent it."""

    draft_id: UUID
    kind: Kind
    file_name: str | None
    created_by: str
    created_at: datetime


async def create(tx: WriteTx, draft: Draft, most: int) -> None:
    """Insert a draft; its file follows piece by piece in the same transaction. Of one sender only the newest `most`
    drafts are kept."""
    await tx.execute(
        "insert into import_drafts (draft_id, kind, file_name, created_by, created_at)"
        " values (:draft_id, :kind, :file_name, :created_by, :created_at)",
        **asdict(draft),
    )
    await tx.execute(
        "delete from import_drafts where created_by = :sender and draft_id not in (select draft_id from import_drafts"
        " where created_by = :sender order by created_at desc, draft_id desc limit :most)",
        sender=draft.created_by,
        most=most,
    )


async def add_piece(tx: WriteTx, draft_id: UUID, position: int, piece: bytes) -> None:
    """Store the next piece of the file."""
    await tx.execute(
        "insert into import_draft_pieces (draft_id, position, bytes) values (:draft_id, :position, :bytes)",
        draft_id=draft_id,
        position=position,
        bytes=piece,
    )


async def pieces(tx: ReadTx, draft_id: UUID) -> AsyncIterator[bytes]:
    """The file, piece by piece."""
    position = 0
    while True:
        piece = await tx.scalar(
            "select bytes from import_draft_pieces where draft_id = :draft_id and position = :position",
            draft_id=draft_id,
            position=position,
        )
        if piece is None:
            return
        yield bytes(piece)
        position += 1


async def find(tx: ReadTx, draft_id: UUID, sender: str) -> Draft | None:
    """A draft that this key has sent."""
    row = await tx.one(
        "select draft_id, kind, file_name, created_by, created_at from import_drafts"
        " where draft_id = :draft_id and created_by = :sender",
        draft_id=draft_id,
        sender=sender,
    )
    if row is None:
        return None
    return Draft(**row)


async def delete(tx: WriteTx, draft_id: UUID, sender: str) -> bool:
    """Delete a draft that this key has sent, with its file; False if there is none."""
    statement = "delete from import_drafts where draft_id = :draft_id and created_by = :sender"
    return bool(await tx.execute(statement, draft_id=draft_id, sender=sender))


async def forget_old(tx: WriteTx, before: datetime) -> int:
    """Delete some of the drafts that were sent before this time, with their files; returns how many."""
    old = "created_at < :before"
    return await delete_piece(tx, "import_drafts", old, "created_at", FORGOTTEN_AT_ONCE, before=before)


async def forget_all(tx: WriteTx) -> int:
    """Delete every draft: who was erased may stand in any of them."""
    return await tx.execute("delete from import_drafts")
