"""Records in the bytes of Kafka's format (version 2), written once and read back only when Kafka refuses them.

What waits for an acknowledgement waits as these bytes and as nothing else: a record that is kept as objects beside its
batch costs more by lying in the caches than it does by being made.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from struct import Struct

from aiokafka.record.util import calc_crc32c, decode_varint

from shared.clock import SystemClock
from shared.kafka.headers import sized_bytes, varint
from shared.records import Record
from shared.topics import Topic

BATCH_BYTES = 262_144
_HEAD = Struct(">qiibIhiqqqhii")
_CHECKED_FROM = 21
"""Where the part of a batch begins that its checksum is of: the attributes and all after them."""
_COUNTED_FROM = 12
"""Where the part begins whose length is in front of it."""
_LEADER_UNKNOWN, _FORMAT = -1, 2
_PLAIN = b"\0\0"
"""A record's attributes, of which there are none, and how much later than the batch's it was made: the time is the
broker's, never the user's."""


class RecordBatch:
    """Records of one partition of a topic that are sent together. It stands in for aiokafka's `BatchBuilder`, and has
    its names where aiokafka looks for them."""

    __slots__ = ("_built", "_closed", "_count", "_producer", "_runs", "_size", "_topic")

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._runs: list[bytes] = []
        self._size = _HEAD.size
        self._count = 0
        self._closed = False
        self._producer = (-1, -1, 0)
        self._built: bytearray | None = None

    def add(self, records: Sequence[Record], start: int = 0) -> int:
        """Add records from `start` on until the batch is full; answers how many."""
        if self._closed:
            return 0
        before, count, size = self._count, self._count, self._size
        parts: list[bytes] = []
        for record in islice(records, start, None):
            key, value = record.key, record.value
            length = -1 if value is None else len(value)
            data = (_PLAIN, varint[count], varint[len(key)], key, varint[length], value or b"", record.headers)
            written = b"".join(data)
            prefix = varint[len(written)]
            grown = size + len(prefix) + len(written)
            if grown > BATCH_BYTES and count:
                self._closed = True
                break
            size = grown
            count += 1
            parts += (prefix, written)
        self._runs.append(b"".join(parts))
        self._count, self._size = count, size
        return count - before

    def records(self) -> Iterator[Record]:
        """The records, read back. Their accounts are taken to be their keys."""
        data = b"".join(self._runs) if self._built is None else bytes(self._built[_HEAD.size :])
        at = 0
        for _ in range(self._count):
            length, at = decode_varint(data, at)
            end = at + length
            _, at = decode_varint(data, at + len(_PLAIN))
            key, at = sized_bytes(data, at)
            value, at = sized_bytes(data, at)
            account_id = (key or b"").decode(errors="replace")
            yield Record(self._topic, account_id, key or b"", value, data[at:end])
            at = end

    def record_count(self) -> int:
        """How many records there are."""
        return self._count

    def closed(self) -> bool:
        """Whether it takes no more records."""
        return self._closed

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = producer_id, producer_epoch, base_sequence

    def _build(self) -> bytearray:
        """The bytes of the batch, from now on without its parts."""
        self._closed = True
        if self._built is None:
            self._built = built = bytearray().join((bytes(_HEAD.size), *self._runs))
            self._runs = []
            now, last = int(SystemClock().now().timestamp() * 1000), self._count - 1
            length = len(built) - _COUNTED_FROM
            rest = (0, last, now, now, *self._producer, self._count)
            _HEAD.pack_into(built, 0, 0, length, _LEADER_UNKNOWN, _FORMAT, 0, *rest)
            checksum = calc_crc32c(memoryview(built)[_CHECKED_FROM:])
            _HEAD.pack_into(built, 0, 0, length, _LEADER_UNKNOWN, _FORMAT, checksum, *rest)
        return self._built
