"""Which partition an account lives in, the same on every topic."""

from functools import cache

from aiokafka.partitioner import murmur2

MAX_KNOWN = 200_000


class _ByAccount(dict[str, int]):
    """The partitions of the accounts that were seen, of so many partitions. Looking one up moves nothing about in
    memory, unlike a cache that knows what was used last."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __missing__(self, account_id: str) -> int:
        if len(self) >= MAX_KNOWN:
            self.clear()
        self[account_id] = found = int((murmur2(account_id.encode()) & 0x7FFFFFFF) % self._count)
        return found


_of_so_many = cache(_ByAccount)


def partition_of(account_id: str, partitions: int) -> int:
    """The partition of an account, out of so many. Its id is the key of its records, and the hash is Kafka's own
    murmur2, so that tools in other languages agree."""
    return _of_so_many(partitions)[account_id]
