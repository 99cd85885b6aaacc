"""After a restore every score is published anew with the same figures, under numbers above all that were given."""

from collections.abc import AsyncIterator

import pytest

from services.scorer.store.reading.freshness import stale_accounts
from services.scorer.store.reading.latest import accounts_with_stale_pairs
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


async def test_figures_are_read_from_the_snapshots_at_once(scorer: Writer) -> None:
    """Every account is dirty until its score is published again; only where something is new is that counted."""
    await scorer.take(recorded("a", score=9), recorded("b", "contoso", score=2))
    await scorer.project()
    async with scorer.database.write() as tx:
        await begin_timeline(tx, TIMELINE)
        assert await stale_accounts(tx, NOW) == []
        assert await accounts_with_stale_pairs(tx, NOW) == []
    await scorer.take(recorded("c", "contoso", score=3))
    async with scorer.database.read() as tx:
        assert await stale_accounts(tx, NOW) == ["contoso"]
        assert await accounts_with_stale_pairs(tx, NOW) == ["contoso"]


async def test_accounts_that_the_backup_did_not_know_begin_above_the_timeline_as_well(scorer: Writer) -> None:
    async with scorer.database.write() as tx:
        await begin_timeline(tx, TIMELINE)
    await scorer.take(recorded("a", "unknown_then"))
    await scorer.project()
    [told] = await scores(scorer, "unknown_then")
    assert told.sequence > TIMELINE
