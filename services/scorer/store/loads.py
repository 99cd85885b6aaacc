"""Large batches under way, announced to the projectors of all replicas, which wait meanwhile."""

from shared.db.transaction import ReadTx, WriteTx

# A lock that nobody waits for: its being held is what it says, and it goes with its transaction, however that ends.
_LOAD = 0x7E13
ANNOUNCE = "select pg_advisory_xact_lock_shared(:load, 0)"
ANNOUNCED = """
    select exists (select from pg_locks where locktype = 'advisory' and classid = :load and objid = 0 and objsubid = 2
        and database = (select oid from pg_database where datname = current_database()))
"""


async def announce_load(tx: WriteTx) -> None:
    """Say, until the transaction ends, that a large batch is being written."""
    await tx.scalar(ANNOUNCE, load=_LOAD)


async def load_announced(tx: ReadTx) -> bool:
    """Whether a large batch is being written now."""
    return bool(await tx.scalar(ANNOUNCED, load=_LOAD))
