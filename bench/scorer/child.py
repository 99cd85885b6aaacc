"""A baseline in a process of its own: `python -m bench.scorer.child decode|dict`, with the environment's variables.

Reads as the scorer reads, cursors in PostgreSQL included, and either forgets every event or folds it into dicts: ids
seen, counts by account and day, the latest answer of each person. Without the cyclic garbage collector, which would
walk over the dicts again and again.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Sequence

import uvloop

from services.scorer import SCHEMA
from services.scorer.consumer import PLAIN
from services.scorer.domain.categories import category_of
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.events.response_fast_reader import Recorded
from shared.kafka.batch import RunnerConfig
from shared.kafka.runner import Runner
from shared.settings import CommonSettings
from shared.topics import RESPONSES
from shared.verdicts import NEW, REPEAT, BatchHandler, Received, Verdict


async def forget(_tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
    """Consume and decode, and no more."""
    return [NEW] * len(records)


class DictFold:
    """The smallest state that could answer for scores, in memory."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.days: dict[tuple[str, int], dict[str, int]] = {}
        self.latest: dict[tuple[str, str], Recorded] = {}

    async def __call__(self, _tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        """Fold the records."""
        return [self._fold(record.event.data) for record in records]  # type: ignore[arg-type]  # one type in the topic

    def _fold(self, data: Recorded) -> Verdict:
        if data.response_id in self.seen:
            return REPEAT
        self.seen.add(data.response_id)
        day = self.days.setdefault((data.account_id, data.answered_at.toordinal()), {})
        category = category_of(data.score)
        day[category] = day.get(category, 0) + 1
        person = data.account_id, data.stakeholder_id
        latest = self.latest.get(person)
        if latest is None or latest.answered_at < data.answered_at:
            self.latest[person] = data
        return NEW


async def main(name: str) -> None:
    """Run until SIGTERM."""
    common = CommonSettings.load()
    database = Database.of(common, SCHEMA, pool_size=2)
    handler: BatchHandler = forget if name == "decode" else DictFold()
    config = RunnerConfig(SCHEMA, (RESPONSES,), common.kafka, common.topic_prefix, owner=name, plain=PLAIN)
    runner = Runner(config, database, dict.fromkeys(RESPONSES.events, handler))
    reading = asyncio.create_task(runner.run())
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    await asked.wait()
    await runner.stop()
    await reading
    await database.close()


if __name__ == "__main__":
    gc.disable()
    uvloop.run(main(sys.argv[1]))
