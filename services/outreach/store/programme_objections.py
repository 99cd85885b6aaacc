"""Rows of `programme_objections`: addresses, as keyed hashes, that want no more mails of one programme."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.outreach.domain.tokens import AddressHash
from shared.db.transaction import ReadTx, WriteTx

_FOUND = "address_hash = any(cast(:hashes as bytea[]))"


@dataclass(frozen=True, slots=True)
class Mailed:
    """A programme that has mailed an address and may do so again: when it did so last, and whether it is to stop."""

    programme_id: str
    sent_at: datetime
    stopped: bool


async def mailed_by(tx: ReadTx, hashes: Collection[bytes], most: int) -> dict[str, Mailed]:
    """The programmes that have mailed an address, by its hash under each key, and have not ended: `most` of them by
    their ids, the last one first."""
    rows = await tx.all(
        f"""
        select a.programme_id, max(a.sent_at) as sent_at, exists (
            select from programme_objections o where o.{_FOUND} and o.programme_id = a.programme_id) as stopped
        from asks a join programmes p on p.programme_id = a.programme_id and p.state <> 'ended'
        where a.{_FOUND} and a.state = 'sent' and a.origin = 'programme'
        group by a.programme_id order by sent_at desc, a.programme_id limit :most
        """,
        hashes=sorted(hashes),
        most=most,
    )
    mailed = {}
    for row in rows:
        mailed[row["programme_id"]] = Mailed(**row)
    return mailed


async def objecting(tx: ReadTx, hashes: Collection[bytes], programme_id: str) -> set[bytes]:
    """Those of the hashes that want no mails of the programme."""
    if not hashes:
        return set()
    found = await tx.column(
        f"select address_hash from programme_objections where {_FOUND} and programme_id = :programme_id",
        hashes=sorted(hashes),
        programme_id=programme_id,
    )
    return {bytes(digest) for digest in found}


async def add(tx: WriteTx, address: AddressHash, programme_id: str, now: datetime) -> None:
    """An address wants no more mails of a programme."""
    await tx.execute(
        "insert into programme_objections (address_hash, key_id, programme_id, created_at)"
        " values (:digest, :key_id, :programme_id, :now) on conflict do nothing",
        digest=address.digest,
        key_id=address.key_id,
        programme_id=programme_id,
        now=now,
    )


async def remove(tx: WriteTx, hashes: Collection[bytes], programme_id: str) -> None:
    """An address, by its hash under each key, takes the mails of a programme again."""
    await tx.execute(
        f"delete from programme_objections where {_FOUND} and programme_id = :programme_id",
        hashes=sorted(hashes),
        programme_id=programme_id,
    )
