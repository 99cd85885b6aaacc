"""Several at work on the same accounts: no change is lost, nothing is published twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from services.cli.rebuild import rebuild_accounts
from services.scorer.handlers.projection import Projector
from services.scorer.handlers.rebuilding import Rebuilt
from services.scorer.settings import ScorerSettings
from services.scorer.store import dirty_accounts
from shared.db import engine
from shared.db.engine import Database
from shared.db.transaction import ReadTx
from shared.errors import NotFound
from shared.events.envelope import Event
from shared.events.responses import ErasedId
from shared.ids import uuid7
from shared.topics import ACCOUNT_CLASS_CHANGED, ACCOUNT_SCORE_CHANGED, STAKEHOLDER_ANSWERED
from tests.integration.scorer.writing import SUBJECT, Writer, account, amended, erased, invited, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.polling import eventually

LATER = NOW + timedelta(minutes=5)
SNAPSHOT_IN_THE_WAY = """
    insert into snapshots (account_id, computed_at, account_class, digest) values (:account_id, now(), 'new', '')
"""

ENTRY_IN_THE_WAY = """
    insert into erasures (receipt_id, subject, account_id, stakeholder_id, erased_at)
    values (:receipt_id, :subject, 'none', 'nobody', now())
"""


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(LATER)) as ready:
        yield ready


async def waits(scorer: Writer, what: str) -> int:
    """How many statements that begin so wait for a lock."""
    async with scorer.database.read() as tx:
        return int(
            await tx.scalar(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock' and ltrim(query, E' \\n') like :what || '%'",
                what=what,
            )
        )


class Interrupted:
    """A database in which something happens just before each reading transaction."""

    def __init__(self, database: Database, before: Callable[[], Awaitable[object]]) -> None:
        self._database = database
        self._before = before
        self.retrying, self.write = database.retrying, database.write

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        await self._before()
        async with self._database.read() as tx:
            yield tx


@asynccontextmanager
async def projecting(scorer: Writer, account_id: str, limit: int = 10) -> AsyncIterator[asyncio.Task[int]]:
    """A projector that has read the account and computed it, and cannot write until the end of the block."""
    async with scorer.database.write() as tx:
        await tx.execute(SNAPSHOT_IN_THE_WAY, account_id=account_id)
        job = asyncio.create_task(scorer.projector.project_due(limit))
        await eventually(lambda: waits(scorer, "insert into snapshots"))
        yield job
        await tx.execute("delete from snapshots where account_id = :account_id", account_id=account_id)


async def test_an_answer_that_comes_while_its_account_is_projected_waits_for_nothing_and_counts(
    scorer: Writer,
) -> None:
    await scorer.take(recorded("a", answered_at=NOW - timedelta(minutes=2)))
    async with projecting(scorer, "acme") as job:
        await scorer.take(recorded("b", answered_at=NOW))
    assert await job == 1
    assert {row["response_id"] for row in await scorer.rows("latest_pairs")} == {"a"}
    assert [row["revision"] for row in await scorer.rows("dirty_accounts")] == [2]
    await scorer.project()
    assert {row["response_id"] for row in await scorer.rows("latest_pairs")} == {"b"}
    answered = await scorer.published(STAKEHOLDER_ANSWERED)
    assert [event.data.response_id for event in answered] == ["a", "b"]  # type: ignore[attr-defined]
    assert await scorer.rows("dirty_accounts") == []


async def test_a_fresh_answer_while_the_account_is_projected_has_events_about_the_account_published(
    scorer: Writer,
) -> None:
    await scorer.take(recorded("a", quiet=True))
    async with projecting(scorer, "acme") as job:
        await scorer.take(recorded("b", answered_at=NOW))
    assert await job == 1
    assert [row["account_events"] for row in await scorer.rows("dirty_accounts")] == [True]


async def test_a_class_that_changes_between_the_claim_and_the_reading_is_published(scorer: Writer) -> None:
    await scorer.take(invited("sent", "i1", NOW - timedelta(days=1)))
    await scorer.project()
    await scorer.take(invited("opened", "i1", NOW))
    # The invitation alone tells no change of class; the answer does, which is there when the account is read.
    late = Interrupted(scorer.database, lambda: scorer.take(recorded("b", score=0, answered_at=NOW)))
    projector = Projector(late, scorer.clock, ScorerSettings().policy())  # type: ignore[arg-type]
    assert await projector.project_due(10) == 1
    assert len(await scorer.published(ACCOUNT_CLASS_CHANGED)) == 1
    await scorer.project()
    assert len(await scorer.published(ACCOUNT_CLASS_CHANGED)) == 1


async def test_a_class_that_time_changes_is_published_also_when_something_quiet_comes_first(
    environment: Environment,
) -> None:
    clock = FrozenClock(LATER)
    async with writer(environment, clock) as scorer:
        await scorer.take(recorded("a", score=0, answered_at=NOW))
        await scorer.project()
        clock.advance(timedelta(days=366))
        await scorer.take(invited("sent", "i1", clock.now()))
        await scorer.project()
        assert len(await scorer.published(ACCOUNT_CLASS_CHANGED)) == 1


async def test_what_a_dead_projector_had_claimed_is_projected_by_the_next(scorer: Writer) -> None:
    await scorer.take(recorded("a"))
    async with scorer.database.write() as tx:
        assert await dirty_accounts.claim(tx, LATER, 10) == ["acme"]
        assert await scorer.job.project_once() == 0
    assert await scorer.job.project_once() == 1
    assert await scorer.rows("dirty_accounts") == []


async def test_an_account_that_is_just_becoming_dirty_again_stays_so(scorer: Writer) -> None:
    await scorer.take(recorded("a"), recorded("o", "other"))
    async with scorer.database.write() as tx:
        await dirty_accounts.mark(tx, {"acme": False}, NOW)
        assert await scorer.job.project_once() == 2
    assert [row["account_id"] for row in await scorer.rows("dirty_accounts")] == ["acme"]
    assert await scorer.job.project_once() == 1


async def test_an_account_that_is_written_to_all_the_time_comes_after_the_others(environment: Environment) -> None:
    clock = FrozenClock(LATER)
    async with writer(environment, clock) as scorer:
        for number, name in enumerate(("hot", "other")):
            await scorer.take(recorded(f"r{number}", name))
            clock.advance(timedelta(seconds=1))
        async with projecting(scorer, "hot", limit=1) as job:
            await scorer.take(recorded("b", "hot"))
        assert await job == 1
        assert await scorer.projector.project_due(1) == 1
        assert [row["account_id"] for row in await scorer.rows("dirty_accounts")] == ["hot"]


async def test_a_silence_waits_while_news_of_its_invitation_is_written(scorer: Writer) -> None:
    await scorer.take(invited("sent", "i1", NOW - timedelta(days=30)))
    async with scorer.database.write() as tx:
        await tx.all("select 1 from invitations for update")
        assert await scorer.job.project_once() == 0
    assert await scorer.rows("invitations", silent_at=LATER) == []
    assert await scorer.job.project_once() == 1
    assert len(await scorer.rows("invitations", silent_at=LATER)) == 1


async def test_an_erasure_waits_for_a_projector_that_has_read_of_the_person(scorer: Writer) -> None:
    await scorer.take(recorded("a", stakeholder_id="ann"))
    async with projecting(scorer, "acme") as job:
        erasing = asyncio.create_task(scorer.take(erased("ann")))
        await eventually(lambda: waits(scorer, "select pg_advisory_xact_lock"))
    assert await job == 1
    await erasing
    await scorer.project()
    assert await scorer.rows("latest_pairs", stakeholder_id="ann") == []


async def test_erasures_of_a_person_at_two_accounts_never_wait_for_each_other_in_a_circle(
    scorer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ATTEMPTS", 1)  # else a deadlock would be tried again
    receipt_id = uuid7()
    first, second = _erased_at_both(receipt_id, "old", "new"), _erased_at_both(receipt_id, "new", "old")
    async with scorer.database.write() as tx:
        for erasure in (first, second):
            await tx.execute(
                ENTRY_IN_THE_WAY,
                receipt_id=receipt_id,
                subject=erasure.data.ids[1].subject,  # type: ignore[attr-defined]
            )
        erasing = [asyncio.create_task(scorer.take(erasure)) for erasure in (first, second)]
        await eventually(lambda: _count_is(scorer, 2))
        await tx.execute("delete from erasures")
    await asyncio.gather(*erasing)
    assert [row["stakeholder_id"] for row in await scorer.rows("erasures")] == [None] * 4


def _erased_at_both(receipt_id: UUID, here: str, there: str) -> Event:
    """The erasure of somebody with two ids at each of two accounts, as the event of one of them tells it."""
    ids = [ErasedId(stakeholder_id=any_id, subject=SUBJECT(here, any_id)) for any_id in ("C-17", "ann")]
    for any_id in ("C-17", "ann"):
        ids.append(ErasedId(account_id=there, stakeholder_id=any_id, subject=SUBJECT(there, any_id)))
    return erased("C-17", here, receipt_id=receipt_id, ids=tuple(ids))


async def _count_is(scorer: Writer, count: int) -> bool:
    return await waits(scorer, "insert into erasures") == count


async def test_two_projectors_share_the_marks_and_tell_everything_once(scorer: Writer) -> None:
    for number in range(30):
        await scorer.take(*[recorded(f"{name}{number}", name, stakeholder_id=f"p{number}") for name in "abcdef"])
        await asyncio.gather(scorer.job.project_once(), scorer.job.project_once())
    await scorer.project()
    answered = await scorer.published(STAKEHOLDER_ANSWERED)
    assert len(answered) == len({event.id for event in answered}) == 180
    for name in "abcdef":
        sequences = [event.data.sequence for event in await scorer.published() if event.account_id == name]  # type: ignore[attr-defined]
        assert sorted(sequences) == list(range(1, len(sequences) + 1))
        last = [event.data for event in await scorer.published(ACCOUNT_SCORE_CHANGED) if event.account_id == name][-1]
        assert last.figures["30d"]["latest"]["response_count"] == 30  # type: ignore[attr-defined]


async def test_projectors_writers_erasures_and_rebuilds_never_wait_for_each_other_in_a_circle(
    scorer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ATTEMPTS", 1)  # else a deadlock would be tried again

    async def write() -> None:
        for number in range(20):
            await scorer.take(*[recorded(f"{name}{number}", name, stakeholder_id=f"p{number}") for name in "abcdef"])
            await scorer.take(*[amended(f"{name}{number}", {"score": 1}, name) for name in "abcdef"])
            await scorer.take(erased(f"p{number}", "abcdef"[number % 6]))

    async def rebuild() -> None:
        for _ in range(5):
            await scorer.projector.rebuild(list("fedcba"))

    async def project() -> None:
        for _ in range(20):
            await scorer.job.project_once()

    async with asyncio.timeout(60):
        await asyncio.gather(write(), rebuild(), project(), project())
    await scorer.project()
    assert await scorer.rows("dirty_accounts") == []


async def test_a_projector_passes_over_accounts_that_another_one_holds(scorer: Writer) -> None:
    await scorer.take(recorded("a"))
    async with projecting(scorer, "acme") as job:
        await scorer.take(recorded("b", "other"))
        assert await scorer.job.project_once() == 1
        assert await scorer.job.project_once() == 0
    assert await job == 1
    assert len(await scorer.rows("snapshots")) == 2


async def test_a_rebuild_repairs_what_is_derived_and_tells_only_the_scores(
    environment: Environment, scorer: Writer
) -> None:
    await scorer.take(*[recorded(f"r{number}", f"acc{number:02}") for number in range(60)], account("empty"))
    await scorer.project()
    state, before = await scorer.state(), len(await scorer.published())
    # By the machine's clock the answers are long gone from the short windows; where nobody answered, nothing differs.
    assert await rebuild_accounts(environment.common, None, progress=False) == Rebuilt(61, 60)
    assert await rebuild_accounts(environment.common, None, progress=False) == Rebuilt(61, 0)
    async with scorer.database.write() as tx:
        await tx.execute("""update snapshots set digest = '' where account_id in ('acc01', 'acc59')""")
        await tx.execute("delete from latest_pairs where account_id = 'acc02'")
    assert await rebuild_accounts(environment.common, "acc01", progress=False) == Rebuilt(1, 1)
    await rebuild_accounts(environment.common, None, progress=False)
    assert (await scorer.state())["latest_pairs"] == state["latest_pairs"]
    assert {event.name for event in (await scorer.published())[before:]} == {ACCOUNT_SCORE_CHANGED}


async def test_a_rebuild_of_an_unknown_account_leaves_nothing(environment: Environment, scorer: Writer) -> None:
    with pytest.raises(NotFound):
        await rebuild_accounts(environment.common, "nobody", progress=False)
    assert await scorer.rows("snapshots") == []


async def test_a_rebuild_first_tells_what_was_waiting_to_be_told(environment: Environment, scorer: Writer) -> None:
    await scorer.take(recorded("r1"))
    await rebuild_accounts(environment.common, None, progress=False)
    assert [event.name for event in await scorer.published()] == [STAKEHOLDER_ANSWERED, ACCOUNT_SCORE_CHANGED]
    assert await scorer.rows("dirty_accounts") == []


async def test_the_self_check_finds_figures_pairs_and_sums_that_are_off(scorer: Writer) -> None:
    await scorer.take(
        recorded("r1", "figures"), recorded("r2", "sums"), recorded("r3", "gone"), recorded("r4", "right")
    )
    await scorer.project()
    assert await scorer.check.check_once() == 0
    async with scorer.database.write() as tx:
        await tx.execute("""update snapshots set digest = '' where account_id = 'figures'""")
        await tx.execute("update account_counts set known = 17 where account_id = 'sums' and score_window = '30d'")
        await tx.execute("delete from account_counts where account_id = 'gone' and score_window = 'all'")
    assert await scorer.check.check_once() == 3
    await scorer.projector.rebuild(["figures", "sums", "gone"])
    assert await scorer.check.check_once() == 0
