"""How a load is taken: rows handed over whole, and a projector that gives way until the load is over."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.scorer.handlers.responses import LOAD_RECORDS
from services.scorer.jobs import LANES, ProjectorJob
from shared.topics import ACCOUNT_SCORE_CHANGED
from shared.verdicts import Received
from tests.integration.scorer.writing import Writer, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.polling import eventually

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(LATER)) as ready:
        yield ready


async def projected(scorer: Writer) -> int:
    return len(await scorer.rows("snapshots"))


async def test_the_names_of_what_was_sent_are_kept_whatever_is_in_them(scorer: Writer) -> None:
    odd = ("a,b", 'quo"te', "back\\slash", "NULL", "", "{}", " ", "naïve\n", "'")
    await scorer.take(recorded("odd", sent=odd), recorded("none", sent=()))
    kept = {row["response_id"]: row["sent"] for row in await scorer.rows("responses")}
    assert kept == {"odd": list(odd), "none": []}


async def test_projectors_rest_while_a_large_batch_is_written_and_then_catch_up_at_once(scorer: Writer) -> None:
    accounts = [f"account-{number}" for number in range(40)]
    await scorer.take(*(recorded(account_id, account_id) for account_id in accounts))
    job = ProjectorJob(scorer.database, scorer.clock, scorer.projector, 2, lambda: None)
    large = [Received(recorded(f"r{number}", "large"), "test", 0, number) for number in range(LOAD_RECORDS)]
    async with scorer.database.write() as tx:
        await scorer.fold.apply(tx, large)
        projecting = asyncio.create_task(job.run())
        # Each lane has projected two accounts, has then seen the batch, and rests.
        await eventually(lambda: _all_projected(scorer, 2 * LANES))
        with pytest.raises(AssertionError):
            await eventually(lambda: _more_projected(scorer, 2 * LANES), timeout=1)
    try:
        await eventually(lambda: _all_projected(scorer, len(accounts) + 1), timeout=4)
    finally:
        projecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await projecting
    told = [event.account_id for event in await scorer.published(ACCOUNT_SCORE_CHANGED)]
    assert sorted(told) == sorted([*accounts, "large"])


async def _more_projected(scorer: Writer, accounts: int) -> bool:
    return await projected(scorer) > accounts


async def _all_projected(scorer: Writer, accounts: int) -> bool:
    return await projected(scorer) == accounts
