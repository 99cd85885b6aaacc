"""Group commit: per partition one batch that fills and one in flight, and one shared future a batch.

Waiting for the broker's acknowledgement costs next to nothing; one future, one wait and one accumulator call for each
record does. So records that arrive while a batch is in flight go into the next batch, and all of them wait together.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import NamedTuple

from shared.kafka.record_batch import RecordBatch
from shared.records import Record
from shared.topics import Topic

Failures = dict[int, Exception]
"""Position of a record in its batch -> its error; empty when all were acknowledged."""
MAX_WAITING_GROUPS = 32
"""Groups that may wait for one partition: back-pressure; further records go into the outbox or are refused."""


class Shared(asyncio.Future[Failures]):
    """The future that all callers of a group wait for: a caller that is cancelled must not cancel it for the others.

    A cancelled caller therefore ends when the group is settled, which its deadline bounds.
    """

    def cancel(self, msg: object = None) -> bool:
        """Ignored, since other callers wait."""
        return False


class Group:
    """Records that are sent, acknowledged and reported together."""

    __slots__ = ("_timer", "batch", "began", "future")

    def __init__(self, topic: Topic) -> None:
        self.began = time.monotonic()
        self.batch = RecordBatch(topic)
        self.future = Shared()
        self._timer: asyncio.TimerHandle | None = None

    def limit(self, seconds: float, late: "Callable[[Group], None]") -> None:
        """Call `late` unless the group is settled in time."""
        self._timer = asyncio.get_running_loop().call_later(seconds, late, self)

    def settle(self, failures: Failures) -> None:
        """Give the failures to all waiting callers."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.future.done():
            self.future.set_result(failures)

    def fail(self, error: Exception) -> None:
        """Settle the group with the same error for all records."""
        self.settle(dict.fromkeys(range(self.batch.record_count()), error))


class Run(NamedTuple):
    """The records that one caller put into one group: `length` consecutive ones from `position` on."""

    group: Group
    position: int
    length: int

    def records(self) -> list[Record]:
        """The records, read back from the group."""
        return list(islice(self.group.batch.records(), self.position, self.position + self.length))


class PartitionBatcher:
    """The batcher of one partition of one topic: groups are sent one after the other."""

    def __init__(self, new_group: Callable[[], Group], deliver: Callable[[Group], Awaitable[None]]) -> None:
        self._new_group = new_group
        self._deliver = deliver
        self._waiting: list[Group] = []
        self._running: asyncio.Future[None] | None = None
        self._in_flight: Group | None = None

    def add(self, records: Sequence[Record]) -> list[Run]:
        """Put records into the group that fills and those after it; returns their places, in order. Fewer than all when
        too many groups wait already."""
        runs: list[Run] = []
        added = 0
        while added < len(records):
            if not self._waiting or self._waiting[-1].batch.closed():
                if len(self._waiting) >= MAX_WAITING_GROUPS:
                    break
                self._waiting.append(self._new_group())
            group = self._waiting[-1]
            position = group.batch.record_count()
            if count := group.batch.add(records, added):
                runs.append(Run(group, position, count))
                added += count
        if self._running is None and self._waiting:
            self._running = asyncio.get_running_loop().create_task(self._drain())
        return runs

    async def _drain(self) -> None:
        try:
            while self._waiting:
                self._in_flight = self._waiting.pop(0)
                await self._deliver(self._in_flight)
        finally:
            self._in_flight = None
            self._running = None

    def pending(self) -> int:
        """How many records wait for an acknowledgement."""
        return sum(group.batch.record_count() for group in self._groups())

    def futures(self) -> list[Shared]:
        """The futures that resolve when all waiting groups are settled."""
        return [group.future for group in self._groups()]

    def _groups(self) -> list[Group]:
        return ([self._in_flight] if self._in_flight else []) + self._waiting

    def abandon(self, error: Exception) -> None:
        """Fail every waiting group and stop sending."""
        groups = self._groups()
        self._waiting = []
        if self._running is not None:
            self._running.cancel()
            self._running = None
        for group in groups:
            group.fail(error)
