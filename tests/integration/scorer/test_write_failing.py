"""An account that cannot be worked out stops no other, says so, and is worked out once its cause is gone."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY

from services.scorer import SCHEMA
from services.scorer.app import build
from services.scorer.domain.drops import DropRule
from services.scorer.domain.projection import Policy
from services.scorer.handlers.pending import Pending
from services.scorer.handlers.projection import Projector
from services.scorer.jobs import MonthKeeper, PendingJob, ProjectorJob, SelfCheck
from services.scorer.settings import ScorerSettings
from shared.clock import SystemClock
from shared.db.engine import Database
from tests.integration.scorer.pipeline import publish
from tests.integration.scorer.writing import Writer, amended, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually
from tests.support.processes import run_tellback

LATER = NOW + timedelta(minutes=5)
GOOD = [f"good-{number}" for number in range(20)]
FAILS = "begin if new.account_id like 'bad%' then raise exception 'broken'; end if; return new; end"
SLEEPS = "begin if new.account_id like 'bad%' then perform pg_sleep(30); end if; return new; end"
CHANGE_FAILS = "begin if old.response_id like 'bad%' then raise exception 'broken'; end if; return old; end"


class Cause:
    """A trigger in the database that breaks whatever touches rows of accounts called bad."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._tables: list[str] = []

    async def put(self, table: str, body: str, event: str = "insert or update", *, at_commit: bool = False) -> None:
        await self._connection.execute(
            f"create or replace function {SCHEMA}.breaks() returns trigger language plpgsql as $$ {body}; $$"
        )
        kind, when = ("constraint trigger", "deferrable initially deferred") if at_commit else ("trigger", "")
        moment = "after" if at_commit else "before"
        await self._connection.execute(
            f"create {kind} breaks {moment} {event} on {SCHEMA}.{table} {when} for each row"
            f" execute function {SCHEMA}.breaks()"
        )
        self._tables.append(table)

    async def remove(self) -> None:
        while self._tables:
            await self._connection.execute(f"drop trigger breaks on {SCHEMA}.{self._tables.pop()}")


@pytest.fixture
async def cause(environment: Environment) -> AsyncIterator[Cause]:
    connection = await asyncpg.connect(environment.database_url)
    yield Cause(connection)
    await connection.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(LATER)


@pytest.fixture
async def scorer(environment: Environment, clock: FrozenClock) -> AsyncIterator[Writer]:
    async with writer(environment, clock) as ready:
        yield ready


@pytest.fixture
async def impatient(environment: Environment) -> AsyncIterator[Database]:
    """A database that ends statements after half a second."""
    opened = Database(environment.database_url, SCHEMA, pool_size=4, settings={"statement_timeout": "500ms"})
    yield opened
    await opened.close()


async def projected(scorer: Writer) -> set[str]:
    return {row["account_id"] for row in await scorer.rows("snapshots")}


async def the_dirty_account(scorer: Writer) -> dict[str, Any]:
    (row,) = await scorer.rows("dirty_accounts")
    return row


async def settle(job: ProjectorJob) -> None:
    """Project all that is due."""
    while await job.project_once() or await job.apart_once():
        pass


@pytest.mark.parametrize("at_commit", [False, True], ids=["in a statement", "at the commit"])
async def test_an_account_that_fails_is_told_apart_from_those_it_was_projected_with(
    scorer: Writer, cause: Cause, at_commit: bool
) -> None:
    await cause.put("snapshots", FAILS, at_commit=at_commit)
    await scorer.take(*(recorded(account_id, account_id) for account_id in ("bad", *GOOD)))
    await settle(scorer.job)
    assert await projected(scorer) == set(GOOD)
    dirty = await the_dirty_account(scorer)
    assert (dirty["account_id"], dirty["tries"], dirty["failed_at"]) == ("bad", 1, LATER)
    await cause.remove()
    await settle(scorer.job)
    assert "bad" not in await projected(scorer), "it is not due yet"


async def test_its_pauses_double_up_to_five_minutes_and_it_is_never_given_up(
    scorer: Writer, cause: Cause, clock: FrozenClock
) -> None:
    await cause.put("snapshots", FAILS)
    await scorer.take(recorded("bad", "bad"))
    pauses = []
    for _ in range(12):
        await settle(scorer.job)
        dirty = await the_dirty_account(scorer)
        pauses.append((dirty["retry_at"] - clock.now()).total_seconds())
        clock.advance(dirty["retry_at"] - clock.now())
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    await cause.remove()
    await settle(scorer.job)
    assert await projected(scorer) == {"bad"}
    assert await scorer.rows("dirty_accounts") == []


async def test_a_new_answer_has_it_tried_again_soon(scorer: Writer, cause: Cause, clock: FrozenClock) -> None:
    await cause.put("snapshots", FAILS)
    await scorer.take(recorded("bad", "bad"))
    for _ in range(8):
        await settle(scorer.job)
        clock.advance((await the_dirty_account(scorer))["retry_at"] - clock.now())
    await settle(scorer.job)
    await cause.remove()
    await scorer.take(recorded("bad-again", "bad"))
    dirty = await the_dirty_account(scorer)
    assert (dirty["tries"], dirty["failed_at"]) == (0, LATER)
    assert dirty["retry_at"] <= clock.now() + timedelta(minutes=5)
    clock.advance(dirty["retry_at"] - clock.now())
    await settle(scorer.job)
    assert await projected(scorer) == {"bad"}


async def test_an_account_of_which_a_statement_always_runs_too_long_is_such_a_case(
    scorer: Writer, cause: Cause, impatient: Database
) -> None:
    await cause.put("snapshots", SLEEPS)
    await scorer.take(*(recorded(account_id, account_id) for account_id in ("bad", *GOOD)))
    job = ProjectorJob(
        impatient, scorer.clock, Projector(impatient, scorer.clock, ScorerSettings().policy()), 100, lambda: None
    )
    await settle(job)
    assert await projected(scorer) == set(GOOD)
    assert (await the_dirty_account(scorer))["tries"] == 1


async def test_accounts_that_fail_hold_up_none_that_time_has_changed(
    scorer: Writer, cause: Cause, clock: FrozenClock
) -> None:
    await scorer.take(*(recorded(account_id, account_id) for account_id in ("bad", "good")))
    await scorer.project()
    await cause.put("snapshots", FAILS)
    clock.advance(timedelta(days=31))
    await settle(scorer.job)
    computed = {row["account_id"]: row["computed_at"] for row in await scorer.rows("snapshots")}
    assert computed == {"bad": LATER, "good": clock.now()}
    assert (await the_dirty_account(scorer))["tries"] == 1


async def test_months_of_other_accounts_are_counted(scorer: Writer, cause: Cause) -> None:
    await scorer.take(*(recorded(account_id, account_id) for account_id in ("bad", *GOOD)))
    await scorer.project()
    await cause.put("months_valid", FAILS)
    keeper = MonthKeeper(scorer.database, scorer.clock)
    while await keeper.keep_once():
        pass
    assert {row["account_id"] for row in await scorer.rows("months_valid")} == set(GOOD)


@dataclass(frozen=True, slots=True)
class BrokenRule(DropRule):
    """Fails for accounts of detractors alone."""

    def holds(self, figures: Mapping[str, Any]) -> bool:
        assert figures["nps"] != -100
        return DropRule.holds(self, figures)


async def test_other_accounts_are_checked(scorer: Writer) -> None:
    await scorer.take(recorded("bad", "bad", score=0), *(recorded(account_id, account_id) for account_id in GOOD))
    await scorer.project()
    async with scorer.database.write() as tx:
        await tx.execute("update snapshots set digest = decode('00', 'hex') where account_id = 'good-1'")
    check = SelfCheck(scorer.database, Policy(drop=BrokenRule()), 1_000, 0.01)
    checking = asyncio.create_task(check.periodic().run())
    try:
        await eventually(lambda: REGISTRY.get_sample_value("tellback_aggregate_drift") == 1, timeout=30)
        assert not checking.done()
    finally:
        checking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await checking


async def test_other_changes_that_overtook_their_response_are_settled(scorer: Writer, cause: Cause) -> None:
    await scorer.take(amended("bad", {"score": 1}), amended("good", {"score": 1}))
    async with scorer.database.write() as tx:
        waiting = await tx.all("select event_id, response_id, recorded_at from pending_changes")
    await scorer.take(recorded("bad"), recorded("good"))
    async with scorer.database.write() as tx:  # as where the two came at the same moment
        await tx.execute_many(
            "insert into pending_changes (event_id, response_id, recorded_at)"
            " values (:event_id, :response_id, :recorded_at)",
            [dict(change) for change in waiting],
        )
    await cause.put("pending_changes", CHANGE_FAILS, "delete")
    job = PendingJob(scorer.database, scorer.clock, Pending(), 30)
    await job.look_once()
    assert {row["response_id"] for row in await scorer.rows("pending_changes")} == {"bad"}
    await cause.remove()
    await eventually(lambda: nothing_waits(scorer, job))


async def nothing_waits(scorer: Writer, job: PendingJob) -> bool:
    await job.look_once()
    return not await scorer.rows("pending_changes")


async def test_a_rebuild_goes_on_with_the_others_and_names_those_that_fail(
    environment: Environment, scorer: Writer, cause: Cause
) -> None:
    await scorer.take(*(recorded(account_id, account_id) for account_id in ("bad", *GOOD)))
    await scorer.project()
    await cause.put("snapshots", FAILS)
    done = await run_tellback(environment, "rebuild", "--json")
    assert json.loads(done.stdout) == {"accounts": len(GOOD), "changed": len(GOOD), "failed": ["bad"]}
    assert (done.returncode, done.stderr.splitlines()[-2:]) == (1, ["error: 1 could not be rebuilt:", "  bad"])
    await cause.remove()
    done = await run_tellback(environment, "rebuild", "--json")
    assert (done.returncode, json.loads(done.stdout)["failed"]) == (0, [])


async def test_the_api_tells_of_it_and_goes_on(environment: Environment, cause: Cause) -> None:
    now = SystemClock().now()
    fields = {"answered_at": now, "recorded_at": now}
    await cause.put("snapshots", FAILS)
    async with running(build(environment.common, SystemClock())) as client:
        client.headers.update(bearer(await api_key(environment, ["read"])))
        await publish(environment, [recorded(account_id, account_id, **fields) for account_id in ("bad", *GOOD)])

        async def failing() -> bool:
            answer = await client.get("/v1/accounts/bad/score")
            return "stale_since" in answer.json()

        await eventually(failing, timeout=15)
        portfolio = (await client.get("/v1/portfolio/score")).json()
        assert portfolio["stale_account_count"] == 1
        assert portfolio["groups"][0]["stakeholder_count"] == len(GOOD) + 1, (
            "the figures count its answers all the same"
        )
        assert "stale_since" not in (await client.get("/v1/accounts/good-1/score")).json()
        await eventually(lambda: REGISTRY.get_sample_value("tellback_accounts_not_projected") == 1)
        assert (await client.get("/health/ready")).is_success
        await cause.remove()

        async def mended() -> bool:
            return "stale_since" not in (await client.get("/v1/accounts/bad/score")).json()

        await eventually(mended, timeout=30)
        assert "stale_account_count" not in (await client.get("/v1/portfolio/score")).json()
