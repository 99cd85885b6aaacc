"""The partitions this replica holds: claimed with their cursor, checked against Kafka's log, given up when fenced."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.db import cursors
from shared.db.cursors import Cursor
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import Halt
from shared.kafka.decoding import PolledRecord, fingerprint
from shared.kafka.rebalance import Rebalance
from shared.telemetry.logging import get_logger
from shared.telemetry.metrics import log_tail_lost_total
from shared.topics import Topic

log = get_logger(__name__)


class Assignment:
    """The cursors of the assigned partitions, for the lifetime of one consumer.

    Of a log of which there is one copy (`copies`), a power cut may take the tail, which the broker had not yet written
    to its disk, while PostgreSQL has the cursor beyond it. Reading then goes back to the cursor's anchor, a record that
    was on the disk by then: what is still there is read once more and recognised by the ids of its events. If another
    record lies at the anchor, the log is another one, and reading halts. With several copies none may lose its tail.
    """

    def __init__(
        self,
        service: str,
        consumer: AIOKafkaConsumer,
        rebalance: Rebalance,
        database: Database,
        topics: Mapping[str, Topic],
        *,
        copies: int = 1,
    ) -> None:
        self._copies = copies
        self._service = service
        self._consumer = consumer
        self._rebalance = rebalance
        self._database = database
        self._topics = topics
        self.cursors: dict[TopicPartition, Cursor] = {}
        self.partitions: dict[str, int] = {}

    async def load(self, owner: str, cluster_id: str) -> list[Cursor]:
        """Claim newly assigned partitions and seek to their cursors; forget revoked ones. Returns the claimed cursors.
        Raises `Unavailable`, `Halt`."""
        held = self._consumer.assignment()
        for place in set(self.cursors) - held:
            del self.cursors[place]
        wanted = sorted(self._rebalance.unloaded & held)
        if not wanted:
            return []
        beginnings = await self._consumer.beginning_offsets(wanted)
        ends = await self._consumer.end_offsets(wanted)
        for place in wanted:
            cursor = await self._claim(place, beginnings[place], owner, cluster_id)
            ends_earlier = ends[place] < cursor.next_offset and cursor.cluster_id in (None, cluster_id)
            if ends_earlier and self._may_go_back(cursor, beginnings[place]):
                await self._go_back(cursor, cursor.next_offset - ends[place])
                cursor = await self._claim(place, beginnings[place], owner, cluster_id)
            self._judge(place, cursor, beginnings[place], ends[place], cluster_id)
            # Begin one record early where possible: that record tells a restored topic from the one read before.
            last = cursor.last_offset
            probe = last is not None and beginnings[place] <= last < cursor.next_offset
            self._consumer.seek(place, last if probe else cursor.next_offset)
            self.partitions.setdefault(place.topic, len(self._consumer.partitions_for_topic(place.topic) or ()))
            self.cursors[place] = cursor
            self._rebalance.unloaded.discard(place)
            self._consumer.resume(place)
        return [self.cursors[place] for place in wanted]

    async def _claim(self, place: TopicPartition, beginning: int, owner: str, cluster_id: str) -> Cursor:
        async def work(tx: WriteTx) -> Cursor:
            return await cursors.claim(tx, place.topic, place.partition, beginning, owner, cluster_id)

        return await self._database.retrying(work)

    def _may_go_back(self, cursor: Cursor, beginning: int) -> bool:
        if self._copies > 1:
            return False
        return cursor.anchor_offset is not None and cursor.anchor_offset >= beginning

    async def _go_back(self, cursor: Cursor, lost: int) -> None:
        async def work(tx: WriteTx) -> None:
            await cursors.go_back(tx, cursor, lost)

        await self._database.retrying(work)
        log_tail_lost_total.labels(self._topics[cursor.topic].name).inc(lost)
        log.error(
            "log_tail_lost",
            service=self._service,
            topic=cursor.topic,
            partition=cursor.partition,
            lost=lost,
            read_again_from=(cursor.anchor_offset or 0) + 1,
        )

    def _judge(self, place: TopicPartition, cursor: Cursor, beginning: int, end: int, cluster_id: str) -> None:
        replaced = cursor.cluster_id and cluster_id and cursor.cluster_id != cluster_id
        if replaced or end < cursor.next_offset:
            raise Halt(
                "kafka_replaced",
                f"{place.topic}/{place.partition} is not the log this service has read so far (another cluster, or"
                f" its end {end} lies before the cursor {cursor.next_offset}); restore Kafka, or run"
                f" `tellback replay {self._service}` to begin anew knowingly",
            )
        self._require_no_gap(place, cursor, beginning)

    def _require_no_gap(self, place: TopicPartition, cursor: Cursor, beginning: int) -> None:
        # Compaction may delete records after a cursor, which loses nothing: the newest of each key is kept.
        if beginning > cursor.next_offset and not self._topics[place.topic].compacted:
            raise Halt(
                "retention_gap",
                f"{place.topic}/{place.partition}: retention has deleted {beginning - cursor.next_offset} records"
                " that were never read; `tellback resume --accept-gap` goes on without them and records the gap",
            )

    async def unread(self, place: TopicPartition, records: Sequence[PolledRecord]) -> Sequence[PolledRecord]:
        """The records after the cursor; empty while the fetcher has not reached the cursor yet. Raises `Halt`."""
        cursor = self.cursors[place]
        if records[0].record.offset == cursor.last_offset and cursor.last_fingerprint is not None:
            if not await self._is_the_one_read(place, cursor, records[0].record):
                return ()
            records = records[1:]
        if not records:
            return ()
        offset = records[0].record.offset
        if offset < cursor.next_offset:
            # Fetched before the seek took effect. Records read ahead since may lie beyond a gap; they are dropped too.
            self.give_up([place])
            return ()
        if offset > cursor.next_offset:
            self._require_no_gap(place, cursor, (await self._consumer.beginning_offsets([place]))[place])
        return records

    async def _is_the_one_read(self, place: TopicPartition, cursor: Cursor, record: Any) -> bool:
        """Whether the record that was read last is there still. If not, reading goes back to the anchor where it may:
        the tail was lost, and new records have taken its place. Raises `Halt` where it may not."""
        if fingerprint(record) == cursor.last_fingerprint:
            return True
        beginning = (await self._consumer.beginning_offsets([place]))[place]
        if not self._may_go_back(cursor, beginning):
            raise Halt(
                "kafka_replaced",
                f"{place.topic}/{place.partition}: another record lies at offset {record.offset} than the one read"
                f" there; restore Kafka, or run `tellback replay {self._service}` to begin anew knowingly",
            )
        await self._go_back(cursor, 1)
        self.give_up([place])
        return False

    def give_up(self, lost: Iterable[TopicPartition]) -> None:
        """Drop the records of partitions, also those read ahead; partitions that are still assigned here are claimed
        anew."""
        for place in lost:
            self.cursors.pop(place, None)
            if place in self._consumer.assignment():
                self._consumer.pause(place)
                self._rebalance.unloaded.add(place)
