"""Scorers that come, go and die while a disturbed history pours in: in the end figures equal a recomputation.

Short forms of what tests/chaos/test_scorer_storms.py does for minutes.
"""

import asyncio
from pathlib import Path

import pytest

from shared.db.engine import Database
from tests.chaos.parts import passing
from tests.integration.scorer.storms import Scorers, Story, check_books
from tests.support.environment import Environment

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]  # three starts and two takeovers, on whatever machine


async def test_scorers_that_come_and_go_end_where_a_recomputation_does(
    environment: Environment, database: Database, tmp_path: Path
) -> None:
    story = Story(environment, accounts=12, seed=1)
    async with Scorers(environment, tmp_path) as scorers:
        first = scorers.start()
        pouring = asyncio.create_task(story.pour(4))
        await first.until_ready()
        second = scorers.start()
        await second.until_ready()
        await scorers.stop(first)
        await pouring
        await story.check(database, scorers.urls[second.name])


async def test_a_scorer_killed_at_random_points_leaves_cursor_and_data_together(
    environment: Environment, database: Database, tmp_path: Path
) -> None:
    story = Story(environment, accounts=12, seed=2)
    third = len(story.events) // 3
    async with Scorers(environment, tmp_path) as scorers:
        for start, moment in ((0, 0.3), (third, 0.6)):
            part = scorers.start()
            await part.until_ready()
            pouring = asyncio.create_task(story.pour(1, story.events[start : start + third]))
            await passing(moment)
            scorers.kill(part)
            await check_books(environment)
            await pouring
        await story.pour(0.5, story.events[2 * third :])
        last = scorers.start()
        await last.until_ready()
        await story.check(database, scorers.urls[last.name])
