"""Which partition an account lives in, the same on every topic."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=200_000)
def partition_of(account_id: str, partitions: int) -> int:
    """The partition of an account: Kafka's own murmur2, so that tools in other languages agree."""
    return int((murmur2(account_id.encode()) & 0x7FFFFFFF) % partitions)
