"""Rows of files in the scorer: counted once however often they are read, and what an undone import leaves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from services.scorer.jobs import LINES_KEPT
from services.scorer.store import import_rows
from services.scorer.store.import_rows import Line
from shared.events.files import Origin
from tests.integration.scorer.writing import Writer, amended, erased, person, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.files import row, undone


@pytest.fixture(scope="module")
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture(scope="module")
async def scorer(module_database_only: Environment, clock: FrozenClock) -> AsyncIterator[Writer]:
    async with writer(module_database_only, clock) as opened:
        yield opened


async def test_a_row_that_is_read_again_is_counted_once(scorer: Writer) -> None:
    origin = Origin(uuid4(), 2, "upsert", NOW)
    for _ in range(3):
        await scorer.take(row(origin, "once"), first_offset=100)
    async with scorer.database.read() as tx:
        counts = await import_rows.counts_of(tx, origin.import_id)
    assert (counts["new"], sum(counts.values())) == (1, 1)


async def test_a_row_about_somebody_erased_is_gone(scorer: Writer) -> None:
    import_id = uuid4()
    await scorer.take(erased("gone", "far"), first_offset=200)
    line = Origin(import_id, 2, "upsert", NOW)
    await scorer.take(row(line, "gone-1", "far", stakeholder_id="gone"), first_offset=201)
    async with scorer.database.read() as tx:
        assert (await import_rows.counts_of(tx, import_id))["gone"] == 1
        assert await import_rows.lines_of(tx, import_id, 10) == [Line(2, "gone", "", [])]


async def test_an_undone_answer_comes_again_with_what_calls_have_changed_and_is_one_row(scorer: Writer) -> None:
    first, second = uuid4(), uuid4()
    await scorer.take(row(Origin(first, 2, "upsert", NOW), "again", comment="wrong"), first_offset=300)
    await scorer.take(amended("again", {"touchpoint": "support"}), first_offset=301)
    await scorer.take(undone(first, "acme", NOW + timedelta(minutes=2)), first_offset=302)
    [stored] = await scorer.rows("responses", response_id="again")
    assert (stored["withdrawn"], stored["undone_at"]) == (True, NOW + timedelta(minutes=2))
    later = NOW + timedelta(minutes=3)
    event = row(Origin(second, 2, "upsert", NOW), "again", comment="right", recorded_at=later)
    assert await scorer.outcomes(event) == ["change"], "new is what is one more row"
    [stored] = await scorer.rows("responses", response_id="again")
    assert (stored["withdrawn"], stored["comment"], stored["touchpoint"]) == (False, "right", "support")


async def test_a_row_by_another_id_of_the_person_changes_the_answer(scorer: Writer) -> None:
    await scorer.take(person("cas", "many", aliases=("C-17", "c@x.example")))
    await scorer.take(row(Origin(uuid4(), 2, "upsert", NOW), "many-1", "many", stakeholder_id="C-17"))
    for score, stakeholder_id in ((4, "c@x.example"), (5, "cas"), (6, "C-17")):
        line = Origin(uuid4(), 2, "upsert", NOW + timedelta(minutes=score))
        assert await scorer.outcomes(row(line, "many-1", "many", score=score, stakeholder_id=stakeholder_id)) == [
            "change"
        ]
        [stored] = await scorer.rows("responses", response_id="many-1")
        assert (stored["score"], stored["stakeholder_id"], stored["given_stakeholder_id"]) == (score, "cas", "C-17")
    another = row(Origin(uuid4(), 2, "upsert", NOW), "many-1", "many", score=1, stakeholder_id="bob")
    [verdict] = await scorer.take(another)
    assert verdict.reason == "row_of_another"


async def test_a_post_brings_an_undone_answer_again_too(scorer: Writer) -> None:
    import_id = uuid4()
    await scorer.take(row(Origin(import_id, 2, "upsert", NOW), "posted", score=1), first_offset=400)
    await scorer.take(undone(import_id, "acme", NOW + timedelta(minutes=1)))
    await scorer.take(recorded("posted", score=8, recorded_at=NOW + timedelta(minutes=2)))
    [stored] = await scorer.rows("responses", response_id="posted")
    assert (stored["score"], stored["withdrawn"], stored["import_id"]) == (8, False, None)


async def test_a_record_of_an_undone_import_that_is_read_again_brings_nothing_back(scorer: Writer) -> None:
    import_id = uuid4()
    event = row(Origin(import_id, 2, "upsert", NOW), "reread", recorded_at=NOW + timedelta(minutes=9))
    await scorer.take(event, first_offset=500)
    await scorer.take(undone(import_id, "acme", NOW + timedelta(minutes=1)))
    assert await scorer.outcomes(event) == ["repeat"]
    [stored] = await scorer.rows("responses", response_id="reread")
    assert stored["withdrawn"]


async def test_lines_are_kept_up_to_a_number_and_for_a_month(
    scorer: Writer, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_rows, "MOST_LINES", 2)
    import_id = uuid4()
    async with scorer.database.write() as tx:
        for line in range(4):
            await import_rows.keep_lines(tx, [(import_id, Line(line, "kept", "kept_here", ["comment"]))], NOW)
    async with scorer.database.read() as tx:
        assert [kept.line for kept in await import_rows.lines_of(tx, import_id, 10)] == [0, 1]
    clock.advance(LINES_KEPT + timedelta(seconds=1))
    await scorer.pending.look_once()
    async with scorer.database.read() as tx:
        assert await import_rows.lines_of(tx, import_id, 10) == []
