"""After a restore every score is published anew with the same figures, under numbers above all that were given."""

from collections.abc import AsyncIterator

import pytest

from services.scorer.store.restoring import begin_timeline, latest_timeline
from shared.events.scores import AccountScoreChanged
from shared.topics import ACCOUNT_SCORE_CHANGED
from tests.integration.scorer.writing import Writer, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded

TIMELINE = 1_800_000_000_000


@pytest.fixture
async def scorer(database_only: Environment) -> AsyncIterator[Writer]:
    async with writer(database_only, FrozenClock(NOW)) as ready:
        yield ready


async def scores(scorer: Writer, account_id: str) -> list[AccountScoreChanged]:
    found = [event.data for event in await scorer.published(ACCOUNT_SCORE_CHANGED) if event.account_id == account_id]
    return [data for data in found if isinstance(data, AccountScoreChanged)]


async def test_scores_are_told_again_under_higher_numbers(scorer: Writer) -> None:
    await scorer.take(recorded("a", score=9), recorded("b", score=2, stakeholder_id="bob"))
    await scorer.project()
    async with scorer.database.write() as tx:
        assert await begin_timeline(tx, TIMELINE) == 1
        assert await latest_timeline(tx) == TIMELINE
    told = len(await scorer.published())
    await scorer.project()
    before, after = await scores(scorer, "acme")
    assert len(await scorer.published()) == told + 1, "of people nothing is told again"
    assert (after.figures, after.account_class) == (before.figures, before.account_class)
    assert before.sequence < TIMELINE < after.sequence
    async with scorer.database.read() as tx:
        assert await latest_timeline(tx) == after.sequence


async def test_accounts_that_the_backup_did_not_know_begin_above_the_timeline_as_well(scorer: Writer) -> None:
    async with scorer.database.write() as tx:
        await begin_timeline(tx, TIMELINE)
    await scorer.take(recorded("a", "unknown_then"))
    await scorer.project()
    [told] = await scores(scorer, "unknown_then")
    assert told.sequence > TIMELINE
