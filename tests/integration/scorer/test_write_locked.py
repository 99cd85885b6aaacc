"""A table locked by somebody else: the scorer waits and tries again, and keeps its partitions."""

from typing import Any

import asyncpg
import pytest

from services.scorer.app import build
from shared.db.engine import Database
from tests.integration.scorer.pipeline import publish, read_until
from tests.integration.scorer.storms import Story
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.http import serving
from tests.support.polling import eventually

pytestmark = pytest.mark.slow
WAITING_BATCHES = """
    select waitstart from pg_locks wanted where not granted and relation = 'scorer.responses'::regclass
    and waitstart is not null and exists (select 1 from pg_locks held where held.pid = wanted.pid and held.granted
        and held.relation = 'scorer.cursors'::regclass)
"""
"""When each consumer's transaction, which holds its cursors, began to wait."""


async def epochs(database: Database) -> dict[Any, int]:
    async with database.read() as tx:
        return {
            (row["topic"], row["partition"]): row["epoch"]
            for row in await tx.all("select topic, partition, epoch from cursors")
        }


async def test_a_locked_table_delays_and_evicts_nobody(environment: Environment, database: Database) -> None:
    story = Story(environment, accounts=6, seed=4)
    half = len(story.events) // 2
    connection = await asyncpg.connect(environment.database_url)
    async with serving(build(environment.common, FrozenClock(story.moment))) as url:
        await publish(environment, story.events[:half])
        await read_until(database, half)
        before = await epochs(database)
        tries: set[Any] = set()

        async def has_given_up_twice() -> bool:
            tries.update(row["waitstart"] for row in await connection.fetch(WAITING_BATCHES))
            return len(tries) > 2

        async with connection.transaction():
            await connection.execute("lock table scorer.responses in access exclusive mode")
            await publish(environment, story.events[half:])
            await eventually(has_given_up_twice, 30)
        story.poured = len(story.events)
        await story.check(database, url)
        assert await epochs(database) == before
    await connection.close()
    async with database.read() as tx:
        assert await tx.scalar("select count(*) from parked where kind = 'dead_letter'") == 0
