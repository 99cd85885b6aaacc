"""Cursors after a restore: they were taken at another time than the log that is there now, or from another log."""

from collections.abc import Mapping

from shared.db.cursors import Cursor, Place
from shared.db.transaction import ReadTx, WriteTx


async def positions(tx: ReadTx) -> list[Cursor]:
    """Every cursor."""
    rows = await tx.all(
        "select topic, partition, next_offset, epoch, cluster_id, last_offset, last_fingerprint from cursors"
        " order by topic, partition"
    )
    return [Cursor(**row) for row in rows]


async def begin_new_log(tx: WriteTx, beginnings: Mapping[Place, int], stored: Mapping[Place, int]) -> None:
    """Read another log from its beginning: cursors for these partitions take the place of all there are. `stored` says
    how many rows of each partition's accounts are there already: they count as read, so that sums still add up."""
    await tx.execute("delete from cursors")
    partitions = 1 + max((number for _, number in beginnings), default=0)
    await tx.execute(
        "update outbox set partition = null where published_at is null and partition >= :partitions",
        partitions=partitions,
    )
    rows = []
    for (topic, number), beginning in beginnings.items():
        count = stored.get((topic, number), 0)
        rows.append({"topic": topic, "partition": number, "beginning": beginning, "count": count})
    await tx.execute_many(
        "insert into cursors (topic, partition, next_offset, new_count, read_count)"
        " values (:topic, :partition, :beginning, :count, :count)",
        rows,
    )
