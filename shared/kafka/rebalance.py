"""What happens when partitions come and go: no work is taken over before the work at hand is finished."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition


class Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Pauses what was assigned until its cursor is loaded in the poll loop; waits for the batch at hand on revoke.

    The callbacks run beside the poll loop and their exceptions are swallowed by aiokafka, so they only pause and
    note; every database write is fenced by the cursor's epoch anyhow.
    """

    def __init__(self) -> None:
        self.consumer: AIOKafkaConsumer | None = None
        self.busy = asyncio.Lock()
        self.unloaded: set[TopicPartition] = set()
        self.joined = False
        self.moving = False

    def begin(self, consumer: AIOKafkaConsumer) -> None:
        """A new consumer, which holds nothing yet."""
        self.consumer = consumer
        self.unloaded.clear()
        self.joined = self.moving = False

    def end(self) -> None:
        """The consumer is gone."""
        self.consumer = None
        self.joined = self.moving = False

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Finish the batch at hand, then let go."""
        async with self.busy:
            self.moving = True
            self.unloaded -= set(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hold the partitions back until the poll loop has loaded their cursors."""
        partitions = set(assigned)
        if self.consumer is not None and partitions:
            self.consumer.pause(*partitions)
        self.unloaded |= partitions
        self.joined, self.moving = True, False
