"""Seals anew, with the newest key, what older keys of the ring have sealed: a few rows a transaction, so that services
go on meanwhile, and a run that was killed is taken up by the next."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from services.cli.ring.sealed import SEALED, Sealed
from shared.access import store
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.key_ring import key_id, secret_keys
from shared.vault import Unsealable, Vault

ROWS = 200
"""Rows of one transaction."""
Progress = Callable[[str, int], None]
"""Told after each transaction: the kind, and how many of it were sealed anew so far."""


async def seal_anew(database: Database, ring: tuple[str, ...], now: datetime, progress: Progress) -> dict[str, int]:
    """Seal everything with the newest key, and note since when it is the newest. Returns how many of each kind there
    were; what no key of the ring opens is left as it is."""
    await database.retrying(lambda tx: store.note_sealing(tx, key_id(ring[0]), now))
    done: dict[str, int] = {}
    for kept in SEALED:
        count = await _seal_kind(database, ring, kept, progress)
        if count:
            done[kept.kind] = count
    return done


async def _seal_kind(database: Database, ring: tuple[str, ...], kept: Sealed, progress: Progress) -> int:
    async with database.read() as tx:
        if not await tx.has_table(kept.table):
            return 0
    count, after = 0, ""
    while True:
        last, sealed = await database.retrying(partial(_seal_rows, ring=ring, kept=kept, after=after))
        if last is None:
            return count
        count, after = count + sealed, last
        progress(kept.kind, count)


async def _seal_rows(tx: WriteTx, ring: tuple[str, ...], kept: Sealed, after: str) -> tuple[str | None, int]:
    """Seal the next rows; returns the id of the last one, None when there is none, and how many were sealed."""
    vault = Vault(ring, kept.purpose)
    key = f'cast({kept.key} as text) collate "C"'
    rows = await tx.rows(
        f"select {key}, cast({kept.owner} as text), {kept.column} from {kept.table} where {kept.there}"
        f" and {kept.key_id} = any(cast(:older as text[])) and {key} > :after order by 1 limit {ROWS} for update",
        older=[key_id(entry) for entry in secret_keys(ring)[1:]],
        after=after,
    )
    last, changes = None, []
    for last, owner, sealed in rows:
        belongs_to = kept.belongs_to(owner)
        try:
            text = vault.open(bytes(sealed), belongs_to)
        except Unsealable:
            continue
        changes.append({"key": last, "sealed": vault.seal(text, belongs_to)})
    await tx.execute_many(f"update {kept.table} set {kept.column} = :sealed where {key} = :key", changes)
    return last, len(changes)
