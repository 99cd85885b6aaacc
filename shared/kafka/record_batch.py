"""Records encoded in Kafka's format (version 2), written once and decoded only when Kafka refuses them.

Only the encoded bytes are kept while a record waits for its acknowledgement: objects kept beside the batch would cost
more in CPU caches than encoding the record does.
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
"""Where the checksummed part of a batch begins: the attributes and all after them."""
_COUNTED_FROM = 12
"""Where the part begins that the batch's length field counts."""
_LEADER_UNKNOWN, _FORMAT = -1, 2
_PLAIN = b"\0\0"
"""A record's attributes, of which there are none, and how much later than the batch's it was made: the time is the
broker's, never the user's."""


class RecordBatch:
    """Records of one partition of a topic that are sent together.

    It replaces aiokafka's `BatchBuilder`, and has that class's names for everything that aiokafka uses.
    """

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
        """Add records from `start` on until the batch is full; returns how many were added."""
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
        """The records, decoded. The key of a record stands for its account."""
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
        """Whether the batch takes no more records."""
        return self._closed

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = producer_id, producer_epoch, base_sequence

    def _build(self) -> bytearray:
        """The bytes of the batch; its parts are dropped."""
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
