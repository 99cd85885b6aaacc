"""Rows of `mailboxes`: how far each was read."""

from services.outreach.domain.mailbox import ReadUntil
from shared.db.transaction import ReadTx, WriteTx


async def read_until(tx: ReadTx, name: str) -> ReadUntil | None:
    """The mail of a mailbox that was read last; None where none was."""
    row = await tx.one("select uid_validity, uid from mailboxes where name = :name", name=name)
    if row is None:
        return None
    return ReadUntil(**row)


async def note(tx: WriteTx, name: str, until: ReadUntil) -> None:
    """Note which mail was read. Of two readers the one that is further counts, unless the folder was numbered anew."""
    await tx.execute(
        "insert into mailboxes as m (name, uid_validity, uid) values (:name, :uid_validity, :uid)"
        " on conflict (name) do update set uid_validity = excluded.uid_validity, uid = excluded.uid"
        " where m.uid_validity <> excluded.uid_validity or m.uid < excluded.uid",
        name=name,
        uid_validity=until.uid_validity,
        uid=until.uid,
    )
