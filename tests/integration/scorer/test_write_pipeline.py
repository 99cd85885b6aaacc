"""The whole writing side on real Kafka and PostgreSQL: exactly once, whatever stops, repeats or starts anew."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.cli.embedded.process import free_port
from services.scorer.app import build
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.erasure import subject_by
from shared.events.envelope import Event
from shared.events.responses import StakeholderErased
from shared.events.scores import StakeholderAnswered
from shared.topics import (
    ACCOUNT_SCORES,
    DIRECTORY,
    INVITATIONS,
    SCORE_EVENTS,
    STAKEHOLDER_ANSWER_CORRECTED,
    STAKEHOLDER_ANSWERED,
)
from tests.integration.scorer.pipeline import publish, published, read_until
from tests.integration.scorer.writing import account, amended, erased, invited, withdrawn, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment, fresh_environment
from tests.support.events import NOW, recorded
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually
from tests.support.processes import start, tellback

LATER = NOW + timedelta(minutes=5)


@contextlib.asynccontextmanager
async def scorer(environment: Environment) -> AsyncIterator[None]:
    """The scorer as one process would run it, its clock standing at `LATER`."""
    async with running(build(environment.common, FrozenClock(LATER))):
        yield


def history(accounts: int = 6) -> list[Event]:
    """A history with repeats, conflicts, changes before and after their response, and bursts."""
    events: list[Event] = []
    for number in range(accounts):
        name = f"acc{number}"
        answers = [
            recorded(f"{name}-{turn}", name, score=score, answered_at=NOW - timedelta(minutes=10 - turn))
            for turn, score in enumerate((9, 3, 8, 10, 0))
        ]
        events += [
            withdrawn(f"{name}-4", name),
            *answers[:3],
            answers[0],
            amended(f"{name}-3", {"score": 7}, name),
            *answers[3:],
            amended(f"{name}-1", {"score": 5, "comment": "sorry"}, name),
            recorded(f"{name}-2", name, score=1),
        ]
    return events


async def test_a_published_answer_becomes_rows_figures_and_events(environment: Environment, database: Database) -> None:
    await publish(environment, [account(industry="logistics")], DIRECTORY)
    await publish(environment, [invited("sent", "i1", NOW - timedelta(hours=1))], INVITATIONS)
    async with scorer(environment):
        await publish(environment, [recorded("r1", score=9), recorded("r2", score=3, stakeholder_id="bob")])
        await read_until(database, 4)
        snapshots = [event.data for event in await published(environment, ACCOUNT_SCORES)]
        answered = [event for event in await published(environment, SCORE_EVENTS) if event.name == STAKEHOLDER_ANSWERED]
    latest: Any = snapshots[-1]
    assert (latest.account_id, latest.industry) == ("acme", "logistics")
    assert latest.figures["30d"]["latest"]["nps"] == 0
    assert latest.figures["30d"]["latest"]["sent_count"] == 1
    assert {event.data.response_id for event in answered} == {"r1", "r2"}  # type: ignore[attr-defined]


async def test_an_erasure_that_came_through_can_be_asked_for(environment: Environment, database: Database) -> None:
    secret = environment.common.secret_key.get_secret_value()
    request = erased("ann", subject=subject_by(secret)("acme", "ann"))
    assert isinstance(request.data, StakeholderErased)
    headers = bearer(await api_key(environment, ["erase"]))
    async with running(build(environment.common, FrozenClock(LATER))) as client:
        path = f"/v1/erasures/{request.data.receipt_id}"
        assert (await client.get(path, headers=headers)).status_code == 404
        await publish(environment, [recorded("r1"), request])
        await read_until(database, 2)
        answer = await client.get(path, headers=headers)
    assert (answer.status_code, answer.json()["responses"]) == (200, 1)
    assert datetime.fromisoformat(answer.json()["erased_at"]) == request.data.erased_at
    async with database.read() as tx:
        assert await tx.scalar("select count(*) from responses where not erased") == 0


async def test_reading_everything_again_changes_nothing_and_tells_nothing(
    environment: Environment, database: Database
) -> None:
    events = history()
    await publish(environment, events)
    async with scorer(environment), writer(environment, SystemClock()) as rows:
        await read_until(database, len(events))
        state, outgoing = await rows.state(), await rows.published()
    async with database.write() as tx:
        await tx.execute("update cursors set next_offset = 0, last_offset = null, last_fingerprint = null")
    async with scorer(environment), writer(environment, SystemClock()) as rows:
        await read_until(database, 2 * len(events))
        assert await rows.state() == state
        assert await rows.published() == outgoing
        async with database.read() as tx:
            counted = await tx.one("select sum(new_count) as new, sum(read_count) as read from cursors")
            stored = await tx.scalar("select count(*) from responses")
    assert counted is not None
    assert (counted["new"], counted["read"], stored) == (30, 2 * len(events), 30)


@pytest.mark.slow
async def test_a_scorer_killed_and_cut_off_ends_where_an_undisturbed_one_does(
    environment: Environment, database: Database, postgres_url: str, tmp_path: Path
) -> None:
    events = history(accounts=40)
    await publish(environment, events[0::4])
    argv = tellback("serve", "scorer", "--port", str(free_port()), "--pause", "0")
    child = start(argv, tmp_path / "scorer.log", environment.variables())
    try:
        await eventually(partial(moved, database, 0), 60)
    finally:
        child.kill()
        child.wait()
    async with scorer(environment), writer(environment, FrozenClock(LATER)) as disturbed:
        for part in (1, 2, 3):
            before = await read_count(database)
            await publish(environment, events[part::4])
            await eventually(partial(moved, database, before), 60)
            await cut_off(database)
        await read_until(database, len(events))
        # The killed processes computed figures by the machine's clock; time is what figures follow.
        await disturbed.projector.rebuild([f"acc{number}" for number in range(40)])
        assert await disturbed.check.check_once() == 0
        rows = await disturbed.state()
        outgoing = await disturbed.published(STAKEHOLDER_ANSWERED, STAKEHOLDER_ANSWER_CORRECTED)
    async with (
        fresh_environment(environment.kafka, postgres_url, topics=False) as other,
        writer(other, FrozenClock(LATER)) as undisturbed,
    ):
        for part in range(4):
            await undisturbed.take(*events[part::4])
            await undisturbed.project()
        assert rows == await undisturbed.state()
    assert len(outgoing) == len({event.id for event in outgoing})
    latest = {row["response_id"] for row in rows["latest_pairs"]}
    assert latest <= {response_id for event in outgoing for response_id in latest_of(event.data)}


def latest_of(data: Any) -> set[str]:
    """The response that the event tells to be the latest of its person now."""
    if isinstance(data, StakeholderAnswered):
        return {data.response_id}
    return {data.new.latest.response_id} if data.new.latest else set()


async def cut_off(database: Database) -> None:
    """End every other session of this database, whatever it is doing, and wait until they are gone."""
    async with database.read() as tx:
        await tx.all(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


async def read_count(database: Database) -> int:
    async with database.read() as tx:
        return int(await tx.scalar("select coalesce(sum(read_count), 0) from cursors"))


async def moved(database: Database, before: int) -> bool:
    return await read_count(database) > before
