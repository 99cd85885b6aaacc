"""Cursors after a restore: they were taken at another time than the log that is there now, or from another log."""

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping

from shared.db.cursors import NOTHING_READ, Place
from shared.db.transaction import ReadTx, WriteTx, as_columns


async def positions(tx: ReadTx) -> Sequence[RowMapping]:
    """Of every cursor topic, partition, next_offset and cluster_id."""
    return await tx.all("select topic, partition, next_offset, cluster_id from cursors order by topic, partition")


async def set_back(tx: WriteTx, ends: Mapping[Place, int]) -> None:
    """Let reading go on at the end of logs that end before their cursors."""
    if not ends:
        return
    rows = [{"topics": topic, "partitions": number, "ends": end} for (topic, number), end in ends.items()]
    await tx.execute(
        f"update cursors set next_offset = log.ending, {NOTHING_READ}, epoch = epoch + 1,"
        " updated_at = now() from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:ends as bigint[]))"
        " as log(topic, partition, ending) where cursors.topic = log.topic and cursors.partition = log.partition",
        **as_columns(rows),
    )


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
