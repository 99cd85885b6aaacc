"""Which partition an account lives in, the same on every topic."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


def partition_of(account_id: str, partitions: int) -> int:
    """The partition of an account: Kafka's own murmur2, so that tools in other languages agree."""
    return partition_of_key(account_id.encode(), partitions)


@lru_cache(maxsize=200_000)
def partition_of_key(key: bytes, partitions: int) -> int:
    """The same for a record whose key is its account."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
