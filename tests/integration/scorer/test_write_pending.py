"""Changes that overtake their response: applied when it comes, parked when they are not of it, given up in the end."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.cli.reconcile import read_lines
from services.scorer.app import build
from services.scorer.handlers.pending import give_up
from shared.db.engine import Database
from shared.events.envelope import Event
from shared.topics import DEAD_LETTERS, RESPONSES
from shared.verdicts import Received
from tests.integration.scorer.pipeline import publish, read_until
from tests.integration.scorer.writing import Writer, amended, erased, withdrawn, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.http import api_key, bearer, running

LATER = NOW + timedelta(minutes=5)
MONTH = timedelta(days=30)


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(LATER)) as ready:
        yield ready


async def parked(scorer: Writer) -> list[tuple[Any, ...]]:
    rows = await scorer.rows("parked")
    return [(row["kind"], row["reason"], row["account_id"], json.loads(row["value"])["response_id"]) for row in rows]


async def live(scorer: Writer) -> tuple[Any, ...]:
    [row] = await scorer.rows("responses")
    return row["score"], row["comment"], row["withdrawn"], row["revision"]


@pytest.mark.parametrize(
    ("change", "reason", "account_id"),
    [
        pytest.param(amended("r1", {"score": 1}, "other"), "wrong_account", "other", id="account"),
        pytest.param(withdrawn("r1", "other"), "wrong_account", "other", id="withdrawal"),
        pytest.param(amended("r1", {"score": 1}, stakeholder_id="bob"), "wrong_stakeholder", "acme", id="person"),
        pytest.param(amended("r1", {"score": 1}, survey_type="csat"), "wrong_response", "acme", id="survey"),
        pytest.param(amended("r1", {"score": 1}, posted="0" * 32), "wrong_response", "acme", id="content"),
        pytest.param(amended("r1", {"score": 11}), "invalid_change", "acme", id="scale"),
    ],
)
async def test_a_change_that_is_not_of_its_response_is_a_conflict_when_that_comes(
    scorer: Writer, change: Event, reason: str, account_id: str
) -> None:
    assert await scorer.outcomes(change) == ["pending"]
    assert await parked(scorer) == []
    assert await scorer.outcomes(recorded("r1")) == ["new"]
    assert await parked(scorer) == [("conflict", reason, account_id, "r1")]
    assert await live(scorer) == (9, None, False, 1)
    assert (await scorer.rows("response_changes"), await scorer.rows("pending_changes")) == ([], [])
    async with scorer.database.read() as tx:
        assert await tx.scalar("select count(*) from outbox where topic = :topic", topic=DEAD_LETTERS.name) == 0


async def test_one_that_fits_is_applied_and_waits_no_more(scorer: Writer) -> None:
    await scorer.take(amended("r1", {"score": 2, "comment": "slow"}), amended("r2", {"score": 3}))
    assert len(await scorer.rows("pending_changes")) == 2
    await scorer.take(recorded("r1"))
    assert await live(scorer) == (2, "slow", False, 2)
    assert [row["response_id"] for row in await scorer.rows("pending_changes")] == ["r2"]
    assert await parked(scorer) == []


async def test_a_change_and_its_response_that_do_not_see_each_other_are_brought_together(scorer: Writer) -> None:
    """A wrong account lies in another partition, so that another transaction may read it at the same moment."""
    change = amended("r1", {"score": 1}, "other")
    async with scorer.database.write() as tx:
        await scorer.fold.apply(tx, [Received(change, "responses", 1, 7)])
        await scorer.take(recorded("r1"))
    assert await parked(scorer) == []
    await scorer.pending.look_once()
    assert await parked(scorer) == [("conflict", "wrong_account", "other", "r1")]
    [row] = await scorer.rows("parked")
    assert (row["topic"], row["partition"], row["record_offset"]) == ("responses", 1, 7)


async def test_an_amendment_is_given_up_after_thirty_days_and_a_withdrawal_never(
    environment: Environment, scorer: Writer
) -> None:
    early, late = NOW, LATER + timedelta(seconds=1)
    await scorer.take(
        amended("r1", {"score": 1}, recorded_at=early),
        amended("r2", {"score": 2}, recorded_at=late),
        withdrawn("r3", recorded_at=early),
        recorded("r4"),
        amended("r4", {"score": 4}, recorded_at=early),
    )
    async with writer(environment, FrozenClock(LATER + MONTH)) as then:
        dropped = REGISTRY.get_sample_value("tellback_pending_changes_dropped_total") or 0
        assert await then.pending.look_once() == 1
        assert REGISTRY.get_sample_value("tellback_pending_changes_dropped_total") == dropped + 1
        for kind in ("amended", "withdrawn"):
            assert REGISTRY.get_sample_value("tellback_pending_changes", {"kind": kind}) == 1
        await then.take(recorded("r1"), recorded("r2"), recorded("r3"))
        rows = {row["response_id"]: (row["score"], row["withdrawn"]) for row in await then.rows("responses")}
    assert rows == {"r1": (9, False), "r2": (2, False), "r3": (9, True), "r4": (4, False)}


async def test_of_each_sender_only_the_newest_amendments_wait(scorer: Writer) -> None:
    early = [
        amended(f"{sender}{number}", {"score": 1}, recorded_at=NOW + timedelta(seconds=number)).by(sender)
        for sender in ("ours", "flood")
        for number in range(2 if sender == "ours" else 5)
    ]
    await scorer.take(*early, withdrawn("flood9", recorded_at=NOW).by("flood"), amended("anybody", {"score": 1}))
    dropped = REGISTRY.get_sample_value("tellback_pending_changes_dropped_total") or 0
    async with scorer.database.write() as tx:
        assert await give_up(tx, FrozenClock(LATER), 30, most=2) == 3
    assert REGISTRY.get_sample_value("tellback_pending_changes_dropped_total") == dropped + 3
    left = {row["response_id"] for row in await scorer.rows("pending_changes")}
    assert left == {"ours0", "ours1", "flood3", "flood4", "flood9", "anybody"}
    assert {row["response_id"] for row in await scorer.rows("response_changes")} == left


async def test_what_was_undone_is_not_counted_as_given_up(environment: Environment, scorer: Writer) -> None:
    await scorer.take(amended("r1", {"score": 1}))
    dropped = REGISTRY.get_sample_value("tellback_pending_changes_dropped_total") or 0

    async def undone() -> None:
        async with scorer.database.write() as tx:
            assert await give_up(tx, FrozenClock(LATER + MONTH), 30) == 1
            raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await undone()
    assert (REGISTRY.get_sample_value("tellback_pending_changes_dropped_total") or 0) == dropped


async def test_of_an_erased_person_a_named_amendment_goes_at_once_and_an_anonymous_one_within_thirty_days(
    environment: Environment, scorer: Writer
) -> None:
    """Nobody can tell whose words an amendment without a name is; other people's must not go with them."""
    named = amended("r1", {"comment": "it was me, ann"}, stakeholder_id="ann")
    anonymous = amended("r2", {"comment": "me again"})
    assert await scorer.outcomes(named, anonymous, erased("ann")) == ["pending", "pending", "change"]
    assert [row["response_id"] for row in await scorer.rows("response_changes")] == ["r2"]
    async with writer(environment, FrozenClock(LATER + MONTH)) as then:
        await then.pending.look_once()
    assert await scorer.rows("response_changes") == []
    assert await scorer.rows("pending_changes") == []


async def test_an_anonymous_amendment_goes_with_its_response_when_that_comes_after_the_erasure(scorer: Writer) -> None:
    await scorer.take(amended("r1", {"comment": "me again"}), erased("ann"))
    await scorer.take(recorded("r1"))
    assert (await scorer.rows("response_changes"), await scorer.rows("pending_changes")) == ([], [])
    assert await scorer.rows("responses") == []


async def test_a_late_conflict_is_shown_once_and_the_books_balance_also_when_everything_is_read_again(
    environment: Environment,
) -> None:
    headers = bearer(await api_key(environment, ["read"]))
    database = Database(environment.database_url, "scorer", pool_size=1)
    async with running(build(environment.common, FrozenClock(LATER))) as client:
        await publish(environment, [amended("r1", {"score": 1, "comment": "no"}, "other"), withdrawn("r2")])
        await read_until(database, 2)
        await publish(environment, [recorded("r1"), recorded("r2")])
        await read_until(database, 4)
        [shown] = (await client.get("/v1/conflicts", headers=headers)).json()["items"]
        assert (shown["reason"], shown["account_id"], shown["topic"]) == ("wrong_account", "other", "responses")
    assert await counted(environment) == {"read": 4, "new": 2, "pending": 2, "conflict": 0, "repeat": 0}
    async with database.write() as tx:
        await tx.execute("update cursors set next_offset = 0, last_offset = null, last_fingerprint = null")
    async with running(build(environment.common, FrozenClock(LATER))) as client:
        await read_until(database, 8)
        assert (await client.get("/v1/conflicts", headers=headers)).json()["items"] == [shown]
    await database.close()
    assert await counted(environment) == {"read": 8, "new": 2, "pending": 2, "conflict": 1, "repeat": 3}


async def counted(environment: Environment) -> dict[str, int]:
    """The sums over all partitions, none of which has a fault."""
    lines: Sequence[Any] = await read_lines(environment.common, ["scorer"])
    assert [line for line in lines if line.faults] == []
    ours = [line for line in lines if line.topic == RESPONSES.name]
    outcomes = ("new", "pending", "conflict", "repeat")
    return {"read": sum(line.read for line in ours)} | {
        name: sum(line.outcomes[name] for line in ours) for name in outcomes
    }
