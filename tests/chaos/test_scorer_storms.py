"""Scorers under minutes of trouble: a rebalance storm, twenty times kill -9, PostgreSQL's sessions ended every second.

TELLBACK_CHAOS_SEED repeats a run.
"""

import asyncio
import os
import random
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.cli.embedded.process import free_port
from shared.db.engine import Database
from tests.chaos.parts import passing
from tests.integration.scorer.storms import Scorers, Story, check_books
from tests.support.collector import collecting
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.load import in_topic, loading
from tests.support.polling import eventually

SEED = int(os.environ.get("TELLBACK_CHAOS_SEED", "0")) or secrets.randbelow(10**6)
STORM_SECONDS, MOVE_SECONDS = 60.0, 3.0
"""With a rebalance every 3 s the group is hardly ever stable."""
PAUSE_SECONDS = 15.0
"""The longest pause in reading while there are unread records, since one replica is always left."""
KILLS, POUR_SECONDS = 20, 1.5
CUT_SECONDS = 30

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


@pytest.fixture
async def database(environment: Environment) -> AsyncIterator[Database]:
    opened = Database(environment.database_url, "scorer", pool_size=2)
    try:
        yield opened
    finally:
        await opened.close()


async def read_so_far(environment: Environment) -> int:
    return sum(line.read for line in await check_books(environment))


async def longest_pause(environment: Environment, story: Story, over: asyncio.Event) -> float:
    """The longest time, from the first record read on, in which nothing was read although there were unread records."""
    loop = asyncio.get_running_loop()
    longest, last, read = 0.0, loop.time(), 0
    while not over.is_set():
        now = await read_so_far(environment)
        longest = max(longest, loop.time() - last)
        if now != read or now == story.poured or read == 0:
            last, read = loop.time(), now
        await passing(0.5)
    return longest


async def test_a_rebalance_storm_ends_where_a_recomputation_does(
    environment: Environment, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story(environment, accounts=100, seed=SEED)
    async with Scorers(environment, tmp_path) as scorers:
        await scorers.start().until_ready()
        over = asyncio.Event()
        watching = asyncio.create_task(longest_pause(environment, story, over))
        pouring = asyncio.create_task(story.pour(STORM_SECONDS))
        moves = await scorers.come_and_go(STORM_SECONDS, MOVE_SECONDS, SEED)
        over.set()
        pause, read = await watching, await read_so_far(environment)
        await pouring
        with capsys.disabled():
            sys.stdout.write(f"\nseed {SEED}: {moves} moves, {story.poured} records, longest pause {pause:.1f} s\n")
        for part in scorers.running:
            await part.until_ready()
        await story.check(database, scorers.urls[scorers.running[0].name])
    assert read > 0
    assert pause < PAUSE_SECONDS


async def test_twenty_kills_at_random_points_leave_figures_equal_to_a_recomputation(
    environment: Environment, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story, dice = Story(environment, accounts=150, seed=SEED), random.Random(SEED)
    share = -(-len(story.events) // KILLS)
    reached: list[int] = []
    async with Scorers(environment, tmp_path) as scorers:
        for start in range(0, len(story.events), share):
            part = scorers.start()
            await part.until_ready()
            before = await read_so_far(environment)
            pouring = asyncio.create_task(story.pour(POUR_SECONDS, story.events[start : start + share]))
            if dice.random() < 0.7:  # otherwise the kill could come before the first commit

                async def moved(before: int = before) -> bool:
                    return await read_so_far(environment) > before

                await eventually(moved, 60)
            await passing(dice.uniform(0, POUR_SECONDS))
            scorers.kill(part)
            await check_books(environment)
            await pouring
            reached.append(await read_so_far(environment))
        last = scorers.start()
        await last.until_ready()
        await story.check(database, scorers.urls[last.name])
    with capsys.disabled():
        sys.stdout.write(f"\nseed {SEED}: {len(reached)} kills, after {reached} of {story.poured} records\n")
    assert len(reached) == KILLS


async def test_sessions_of_postgresql_ended_each_second_cost_nobody_an_answer(
    environment: Environment, database: Database, tmp_path: Path
) -> None:
    read: Counter[int] = Counter()
    async with Scorers(environment, tmp_path) as scorers:
        part = scorers.start()
        await part.until_ready()
        over = asyncio.Event()
        headers = bearer(await api_key(environment, ["read"]))
        async with (
            collecting(environment, tmp_path, free_port()) as collector,
            httpx.AsyncClient(base_url=scorers.urls[part.name], headers=headers, timeout=30) as api,
            loading(collector.url, collector.key, 4) as load,
        ):
            asking = asyncio.create_task(ask_on(api, read, over))
            for _ in range(CUT_SECONDS):
                await cut_off(database)
                await passing(1)
            over.set()
            await asking
        assert part.running
        assert set(load.statuses) == {202}
        assert set(read) <= {200, 503}
        assert read[200] > read[503]
        posted = await in_topic(environment)
        assert load.accepted.keys() <= posted.keys()

        async def all_read() -> bool:
            return await read_so_far(environment) == posted.total()

        await eventually(all_read, 60)
        async with database.read() as tx:
            assert await tx.scalar("select count(*) from responses") == len(posted)
            assert await tx.scalar("select count(*) from parked") == 0


async def ask_on(api: httpx.AsyncClient, statuses: Counter[int], over: asyncio.Event) -> None:
    """Ask for figures until stopped."""
    while not over.is_set():
        for path in ("/v1/accounts/account-1/score", "/v1/portfolio/score", "/v1/responses"):
            answer = await api.get(path)
            if answer.status_code != 404:  # the scorer has not read the account yet
                statuses[answer.status_code] += 1
        await passing(0.05)


async def cut_off(database: Database) -> None:
    """End every other session of this database."""
    async with database.read() as tx:
        await tx.all(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
