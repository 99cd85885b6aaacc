"""The partition of an account, the same on every topic."""

from functools import cache

from aiokafka.partitioner import murmur2

MAX_KNOWN = 200_000


class _ByAccount(dict[str, int]):
    """A cache of the partitions of accounts, for one number of partitions. Unlike an LRU cache, a look-up moves nothing
    in memory."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __missing__(self, account_id: str) -> int:
        if len(self) >= MAX_KNOWN:
            self.clear()
        self[account_id] = found = int((murmur2(account_id.encode()) & 0x7FFFFFFF) % self._count)
        return found


_of_so_many = cache(_ByAccount)


def partition_of(account_id: str, partitions: int) -> int:
    """The partition of an account, out of `partitions`. The account's id is the key of its records, and the hash is
    Kafka's own murmur2, so that tools in other languages agree."""
    return _of_so_many(partitions)[account_id]
