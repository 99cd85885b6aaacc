"""Records in the bytes of Kafka's format (version 2), written once and read back only when Kafka refuses them.

What waits for an acknowledgement waits as these bytes and as nothing else: a record that is kept as objects beside its
batch costs more by lying in the caches than it does by being made.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from struct import Struct

from aiokafka.record.util import calc_crc32c, decode_varint, encode_varint

from shared.clock import SystemClock
from shared.events.envelope import Headers
from shared.records import OutRecord

Raw = tuple[bytes, bytes | None, bytes]
"""Key, value and packed headers of a record."""
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


class _Varints(dict[int, bytes]):
    """Numbers as records hold them, each made once."""

    def __missing__(self, number: int) -> bytes:
        made = bytearray()
        encode_varint(number, made.append)
        self[number] = found = bytes(made)
        return found


_varint = _Varints()


def packed(headers: Headers) -> bytes:
    """Headers as a record holds them."""
    parts = [_varint[len(headers)]]
    for name, raw in headers:
        encoded = name.encode()
        parts += (_varint[len(encoded)], encoded, _varint[len(raw)], raw)
    return b"".join(parts)


def unpacked(headers: bytes) -> Headers:
    """The headers that were packed."""
    count, at = decode_varint(headers, 0)
    found: Headers = []
    for _ in range(count):
        name, at = _bytes(headers, at)
        raw, at = _bytes(headers, at)
        found.append(((name or b"").decode(), raw or b""))
    return found


def raw_of(record: OutRecord) -> Raw:
    """A record as a batch takes it."""
    return record.key, record.value, packed(record.headers)


class RecordBatch:
    """Records of one partition that are sent together. It stands in for aiokafka's `BatchBuilder`, and has its names
    where aiokafka looks for them."""

    __slots__ = ("_built", "_closed", "_count", "_producer", "_runs", "_size")

    def __init__(self) -> None:
        self._runs: list[bytes] = []
        self._size = _HEAD.size
        self._count = 0
        self._closed = False
        self._producer = (-1, -1, 0)
        self._built: bytearray | None = None

    def add(self, records: Sequence[Raw], start: int = 0) -> int:
        """Add records from `start` on until the batch is full; answers how many."""
        if self._closed:
            return 0
        before, count, size, varint = self._count, self._count, self._size, _varint
        parts: list[bytes] = []
        for key, value, headers in islice(records, start, None):
            length = -1 if value is None else len(value)
            record = b"".join((_PLAIN, varint[count], varint[len(key)], key, varint[length], value or b"", headers))
            prefix = varint[len(record)]
            grown = size + len(prefix) + len(record)
            if grown > BATCH_BYTES and count:
                self._closed = True
                break
            size = grown
            count += 1
            parts += (prefix, record)
        self._runs.append(b"".join(parts))
        self._count, self._size = count, size
        return count - before

    def records(self) -> Iterator[Raw]:
        """The records, read back."""
        data = b"".join(self._runs) if self._built is None else bytes(self._built[_HEAD.size :])
        at = 0
        for _ in range(self._count):
            length, at = decode_varint(data, at)
            end = at + length
            _, at = decode_varint(data, at + len(_PLAIN))
            key, at = _bytes(data, at)
            value, at = _bytes(data, at)
            yield key or b"", value, data[at:end]
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


def _bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Bytes with their length in front, or none, and where the rest begins."""
    length, at = decode_varint(data, at)
    return (None, at) if length < 0 else (data[at : at + length], at + length)
