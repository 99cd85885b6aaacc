"""Rebalancing: a partition is handed over only after the batch in progress is finished."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition


class Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Pauses assigned partitions until the poll loop has loaded their cursors; on revoke waits for the batch in
    progress.

    The callbacks run beside the poll loop, and aiokafka swallows their exceptions. So they only pause and take notes;
    the cursor's epoch fences every write to the database anyway.
    """

    def __init__(self) -> None:
        self.consumer: AIOKafkaConsumer | None = None
        self.busy = asyncio.Lock()
        self.unloaded: set[TopicPartition] = set()
        self.joined = False
        self.moving = False

    def begin(self, consumer: AIOKafkaConsumer) -> None:
        """Take over a new consumer, which has no partitions yet."""
        self.consumer = consumer
        self.unloaded.clear()
        self.joined = self.moving = False

    def end(self) -> None:
        """Let go of the consumer."""
        self.consumer = None
        self.joined = self.moving = False

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Wait until the batch in progress is finished."""
        async with self.busy:
            self.moving = True
            self.unloaded -= set(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Pause the partitions until the poll loop has loaded their cursors."""
        partitions = set(assigned)
        if self.consumer is not None and partitions:
            self.consumer.pause(*partitions)
        self.unloaded |= partitions
        self.joined, self.moving = True, False
