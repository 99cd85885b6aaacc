"""The audit: actions of people on the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db.pieces import delete_piece
from shared.db.transaction import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `actor` and `subject` are e-mails, or ids of what was acted on."""

    at: datetime
    actor: str
    action: str
    subject: str


async def note(tx: WriteTx, entry: Entry) -> None:
    """Write a line."""
    await tx.execute(
        "insert into audit (at, actor, action, subject) values (:at, :actor, :action, :subject)",
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
    )


async def forget(tx: WriteTx, before: datetime) -> int:
    """Delete a piece of the lines of before a moment; returns how many."""
    return await delete_piece(tx, "audit", "at < :before", "at", before=before)


async def latest(tx: ReadTx, limit: int) -> Sequence[Entry]:
    """The newest lines."""
    rows = await tx.all("select at, actor, action, subject from audit order by at desc, id desc limit :n", n=limit)
    return [Entry(row["at"], row["actor"], row["action"], row["subject"]) for row in rows]
