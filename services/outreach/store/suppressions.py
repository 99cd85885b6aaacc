"""Rows of `suppressions`: addresses that must not be asked, as keyed hashes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping

from services.outreach.domain.tokens import AddressHash
from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.ids import uuid7

_COLUMNS = "suppression_id, source, created_at, created_by"
_FOUND = "address_hash = any(cast(:hashes as bytea[]))"


@dataclass(frozen=True, slots=True)
class Objection:
    """What the list says of one hash: whether it objects now, and when an objection was taken back last."""

    objected: bool
    lifted_at: datetime | None


async def suppress(
    tx: WriteTx, addresses: Mapping[bytes, AddressHash], source: str, now: datetime, actor: str
) -> set[bytes]:
    """Enter addresses, which are not on the list under another key, by digest; returns the digests that were new."""
    if not addresses:
        return set()
    rows = []
    for digest in sorted(addresses):
        rows.append({"ids": uuid7(), "digests": digest, "keys": addresses[digest].key_id})
    added = await tx.column(
        "insert into suppressions (suppression_id, address_hash, key_id, source, created_at, created_by)"
        " select id, digest, key_id, :source, :now, :actor from unnest(cast(:ids as uuid[]),"
        " cast(:digests as bytea[]), cast(:keys as text[])) as n(id, digest, key_id)"
        " on conflict (address_hash) where lifted_at is null do nothing returning address_hash",
        source=source,
        now=now,
        actor=actor,
        **as_columns(rows),
    )
    return {bytes(digest) for digest in added}


async def objections(tx: ReadTx, hashes: Collection[bytes]) -> dict[bytes, Objection]:
    """What the list says of these hashes; one that was never on it is left out."""
    if not hashes:
        return {}
    rows = await tx.rows(
        f"select address_hash, bool_or(lifted_at is null), max(lifted_at) from suppressions where {_FOUND} group by 1",
        hashes=sorted(hashes),
    )
    return {bytes(digest): Objection(objected, lifted_at) for digest, objected, lifted_at in rows}


async def list_suppressions(
    tx: ReadTx, hashes: Collection[bytes] | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """Objections that hold, the newest first; with `hashes` those of one address only."""
    where = ["lifted_at is null"]
    binds: dict[str, object] = {"limit": limit}
    if hashes is not None:
        where.append(_FOUND)
        binds["hashes"] = sorted(hashes)
    if after is not None:
        where.append("(created_at, suppression_id) < (:created_at, :suppression_id)")
        binds |= {"created_at": after[0], "suppression_id": after[1]}
    return await tx.all(
        f"select {_COLUMNS} from suppressions where {' and '.join(where)}"
        " order by created_at desc, suppression_id desc limit :limit",
        **binds,
    )


async def lift(tx: WriteTx, suppression_id: UUID, now: datetime, actor: str) -> bool:
    """Take an objection off the list; False where there is none that holds."""
    return bool(
        await tx.execute(
            "update suppressions set lifted_at = :now, lifted_by = :actor"
            " where suppression_id = :suppression_id and lifted_at is null",
            suppression_id=suppression_id,
            now=now,
            actor=actor,
        )
    )


async def lift_address(tx: WriteTx, hashes: Collection[bytes], now: datetime, actor: str) -> bool:
    """Take the objections of one address, by its hash under each key, off the list; False where there are none."""
    return bool(
        await tx.execute(
            f"update suppressions set lifted_at = :now, lifted_by = :actor where lifted_at is null and {_FOUND}",
            hashes=sorted(hashes),
            now=now,
            actor=actor,
        )
    )
