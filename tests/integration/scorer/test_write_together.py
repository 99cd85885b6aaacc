"""Several at work on the same accounts: no mark is lost, nothing is told twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.cli.rebuild import rebuild_accounts
from services.scorer.domain.silence import Asked
from services.scorer.store import marks
from services.scorer.store.projection import save_silences
from shared.errors import NotFound
from shared.topics import ACCOUNT_SCORE_CHANGED, STAKEHOLDER_ANSWERED
from tests.integration.scorer.writing import Writer, account, invited, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.polling import eventually

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(LATER)) as ready:
        yield ready


async def waiting_for_a_lock(scorer: Writer) -> bool:
    async with scorer.database.read() as tx:
        return bool(
            await tx.scalar(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock' and query like '%insert into marks%'"
            )
        )


async def test_a_mark_set_while_its_account_is_projected_is_not_lost(scorer: Writer) -> None:
    await scorer.take(recorded("a", answered_at=NOW - timedelta(minutes=2)))
    async with scorer.database.write() as tx:
        assert await scorer.projector.project_marked(tx, 10) == 1
        # The projector has read the answers and deleted the mark, but has not committed yet.
        taking = asyncio.create_task(scorer.take(recorded("b", answered_at=NOW)))
        await eventually(lambda: waiting_for_a_lock(scorer))
    await taking
    assert [row["account_id"] for row in await scorer.rows("marks")] == ["acme"]
    await scorer.project()
    assert {row["response_id"] for row in await scorer.rows("latest_pairs")} == {"b"}
    assert len(await scorer.told(STAKEHOLDER_ANSWERED)) == 2


async def test_a_projector_that_notes_a_silence_and_news_of_the_invitation_do_not_wait_for_each_other(
    scorer: Writer,
) -> None:
    sent = NOW - timedelta(days=30)
    await scorer.take(invited("sent", "i1", sent))
    async with scorer.database.write() as tx:
        [mark] = await marks.take(tx, 10)
        taking = asyncio.create_task(scorer.take(invited("opened", "i1", NOW)))
        await eventually(lambda: waiting_for_a_lock(scorer), timeout=30)
        await save_silences(tx, [(mark.account_id, Asked("i1", "ann", sent, sent))], LATER)
    assert [verdict.outcome.value for verdict in await taking] == ["new"]
    [row] = await scorer.rows("invitations")
    assert (row["silent_at"], row["opened_at"]) == (LATER, NOW)


async def test_two_projectors_share_the_marks_and_tell_everything_once(scorer: Writer) -> None:
    for number in range(30):
        await scorer.take(*[recorded(f"{name}{number}", name, stakeholder_id=f"p{number}") for name in "abcdef"])
        await asyncio.gather(scorer.job.project_once(), scorer.job.project_once())
    await scorer.project()
    answered = await scorer.told(STAKEHOLDER_ANSWERED)
    assert len(answered) == len({one.id for one in answered}) == 180
    for name in "abcdef":
        sequences = [one.data.sequence for one in await scorer.told() if one.account_id == name]  # type: ignore[attr-defined]
        assert sorted(sequences) == list(range(1, len(sequences) + 1))
        last = [one.data for one in await scorer.told(ACCOUNT_SCORE_CHANGED) if one.account_id == name][-1]
        assert last.figures["30d"]["latest"]["response_count"] == 30  # type: ignore[attr-defined]


async def test_a_projector_passes_over_accounts_that_another_one_holds(scorer: Writer) -> None:
    await scorer.take(recorded("a"), recorded("b", "other"))
    async with scorer.database.write() as tx:
        assert await scorer.projector.project_marked(tx, 1) == 1
        assert await scorer.job.project_once() == 1
        assert await scorer.job.project_once() == 0
    assert len(await scorer.rows("snapshots")) == 2


async def test_a_rebuild_repairs_what_is_derived_and_tells_only_the_scores(
    environment: Environment, scorer: Writer
) -> None:
    await scorer.take(*[recorded(f"r{number}", f"acc{number:02}") for number in range(60)], account("empty"))
    await scorer.project()
    state, before = await scorer.state(), len(await scorer.told())
    # By the machine's clock the answers are long gone from the short windows; where nobody answered, nothing differs.
    assert await rebuild_accounts(environment.common, None, progress=False) == (61, 60)
    assert await rebuild_accounts(environment.common, None, progress=False) == (61, 0)
    async with scorer.database.write() as tx:
        await tx.execute("""update snapshots set figures = '{}' where account_id in ('acc01', 'acc59')""")
        await tx.execute("delete from latest_pairs where account_id = 'acc02'")
    assert await rebuild_accounts(environment.common, "acc01", progress=False) == (1, 1)
    await rebuild_accounts(environment.common, None, progress=False)
    assert (await scorer.state())["latest_pairs"] == state["latest_pairs"]
    assert {one.name for one in (await scorer.told())[before:]} == {ACCOUNT_SCORE_CHANGED}


async def test_a_rebuild_of_an_unknown_account_leaves_nothing(environment: Environment, scorer: Writer) -> None:
    with pytest.raises(NotFound):
        await rebuild_accounts(environment.common, "nobody", progress=False)
    assert await scorer.rows("snapshots") == []


async def test_a_rebuild_first_tells_what_was_waiting_to_be_told(environment: Environment, scorer: Writer) -> None:
    await scorer.take(recorded("r1"))
    await rebuild_accounts(environment.common, None, progress=False)
    assert [one.name for one in await scorer.told()] == [STAKEHOLDER_ANSWERED, ACCOUNT_SCORE_CHANGED]
    assert await scorer.rows("marks") == []


async def test_the_self_check_finds_figures_pairs_and_sums_that_are_off(scorer: Writer) -> None:
    await scorer.take(
        recorded("r1", "figures"), recorded("r2", "sums"), recorded("r3", "gone"), recorded("r4", "right")
    )
    await scorer.project()
    assert await scorer.check.check_once() == 0
    async with scorer.database.write() as tx:
        await tx.execute("""update snapshots set figures = '{}' where account_id = 'figures'""")
        await tx.execute("update snapshot_sums set s9 = s9 + 1 where account_id = 'sums' and score_window = '30d'")
        await tx.execute("delete from snapshot_sums where account_id = 'gone' and method = 'all'")
    assert await scorer.check.check_once() == 3
    async with scorer.database.write() as tx:
        await scorer.projector.rebuild(tx, ["figures", "sums", "gone"])
    assert await scorer.check.check_once() == 0
