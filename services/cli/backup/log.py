"""The log that a restored installation goes on with, and what becomes of its cursors: the log may be newer than the
backup, older, another one, or have another number of partitions.

Where it is not sure that the log goes on behind a cursor, it is read again from its beginning: what was read before is
recognised by its ids, while a record that is passed over is lost.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.cli.reconcile import stored_rows
from services.cli.topics import apply_topics
from shared.db.cursors import Cursor, begin_anew
from shared.db.restored_cursors import begin_new_log, positions
from shared.db.transaction import WriteTx
from shared.kafka.admin import Admin
from shared.kafka.offsets import Place, log_ranges
from shared.settings import CommonSettings
from shared.topics import BY_NAME

BEHIND, LOST, OTHER = "the log ends earlier", "the log has lost records", "another log"


@dataclass(frozen=True, slots=True)
class Log:
    """The topics of a Kafka: its id, and the first offset and the end of every partition, by full topic name."""

    cluster_id: str
    prefix: str
    ranges: Mapping[Place, tuple[int, int]]

    def topic_of(self, place: Place) -> str:
        """The topic without its prefix."""
        return place[0].removeprefix(self.prefix)


@dataclass(frozen=True, slots=True)
class Moved:
    """A cursor that does not simply go on: `records` are so many that the log ends before it, or that the log has lost
    before they were read."""

    service: str
    topic: str
    partition: int
    why: str
    records: int


async def read_log(common: CommonSettings) -> Log:
    """Make the topics that are missing, and look at all. Raises `Unavailable`, `Halt`."""
    await apply_topics(common)
    async with Admin.connected(common.kafka, common.topic_prefix) as admin:
        cluster_id = await admin.cluster_id()
        states = await admin.inspect(common.replication_factor)
    places = []
    for state in states:
        places += [(state.name, number) for number in range(state.partitions)]
    return Log(cluster_id, common.topic_prefix, await log_ranges(common.kafka, places))


async def settle_cursors(tx: WriteTx, service: str, topics: list[str], log: Log, prefix: str) -> list[Moved]:
    """Let the cursors of a service, whose tables are found by their names alone, go on with this log. `prefix` is that
    of the topics in the backup. Returns those that do not go on where they stood."""
    cursors = await positions(tx)
    if not cursors:
        return []
    places = {place: ranges for place, ranges in log.ranges.items() if log.topic_of(place) in topics}
    clusters = {cursor.cluster_id for cursor in cursors} - {None, log.cluster_id}
    if prefix != log.prefix or clusters or _is_divided_otherwise(cursors, places):
        return await _begin_other(tx, service, places, log)
    moved, beginnings = [], dict[Place, int]()
    for cursor in cursors:
        first, end = places[cursor.place]
        topic, missing = log.topic_of(cursor.place), cursor.next_offset - end
        if missing > 0:
            beginnings[cursor.place] = first
            moved.append(Moved(service, topic, cursor.partition, BEHIND, missing))
        elif first > cursor.next_offset and not BY_NAME[topic].compacted:
            moved.append(Moved(service, topic, cursor.partition, LOST, first - cursor.next_offset))
    await begin_anew(tx, beginnings)
    return moved


def _is_divided_otherwise(cursors: Sequence[Cursor], places: Collection[Place]) -> bool:
    """Whether a topic has another number of partitions than there are cursors for it."""
    read = Counter(cursor.topic for cursor in cursors)
    there = Counter(topic for topic, _ in places)
    return any(there[topic] != count for topic, count in read.items())


async def _begin_other(tx: WriteTx, service: str, places: Mapping[Place, tuple[int, int]], log: Log) -> list[Moved]:
    partitions = 1 + max(number for _, number in places)
    stored = {}
    for (topic, number), count in (await stored_rows(tx, service, partitions)).items():
        stored[log.prefix + topic, number] = count
    beginnings = {place: first for place, (first, _) in places.items()}
    await begin_new_log(tx, beginnings, stored)
    moved = []
    for (topic, number), (first, end) in sorted(places.items()):
        moved.append(Moved(service, topic.removeprefix(log.prefix), number, OTHER, end - first))
    return moved
