"""Which partition an account lives in, the same on every topic."""

from functools import cache

from aiokafka.partitioner import murmur2

MAX_KNOWN = 200_000


class _ByKey(dict[bytes, int]):
    """The partitions of the keys that were seen, of so many partitions. Looking one up moves nothing about in memory,
    unlike a cache that knows what was used last."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __missing__(self, key: bytes) -> int:
        if len(self) >= MAX_KNOWN:
            self.clear()
        self[key] = found = int((murmur2(key) & 0x7FFFFFFF) % self._count)
        return found


@cache
def partitions_by_key(count: int) -> _ByKey:
    """The partition, out of so many, of a record's key: Kafka's own murmur2, so that tools in other languages agree."""
    return _ByKey(count)


def partition_of(account_id: str, partitions: int) -> int:
    """The partition of an account, whose id is the key of its records."""
    return partitions_by_key(partitions)[account_id.encode()]
