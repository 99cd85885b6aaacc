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
from shared.topics import Topic


class Assignment:
    """The cursors of the assigned partitions, for the lifetime of one consumer."""

    def __init__(
        self,
        service: str,
        consumer: AIOKafkaConsumer,
        rebalance: Rebalance,
        database: Database,
        topics: Mapping[str, Topic],
    ) -> None:
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
            self._check_probe(place, cursor, records[0].record)
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

    def _check_probe(self, place: TopicPartition, cursor: Cursor, record: Any) -> None:
        if fingerprint(record) != cursor.last_fingerprint:
            raise Halt(
                "kafka_replaced",
                f"{place.topic}/{place.partition}: another record lies at offset {record.offset} than the one read"
                f" there; restore Kafka, or run `tellback replay {self._service}` to begin anew knowingly",
            )

    def give_up(self, lost: Iterable[TopicPartition]) -> None:
        """Drop the records of partitions, also those read ahead; partitions that are still assigned here are claimed
        anew."""
        for place in lost:
            self.cursors.pop(place, None)
            if place in self._consumer.assignment():
                self._consumer.pause(place)
                self._rebalance.unloaded.add(place)
