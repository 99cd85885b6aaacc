"""C3: before the first link it is read from the scorer whom others have asked; until then none is made."""

import asyncio
from datetime import timedelta

import pytest

from shared.errors import Unavailable
from tests.support.outreach import DAY, NOW, Asking, account, known_person, person


def at(moment_ago: timedelta) -> str:
    """A moment before `NOW` as the scorer writes it."""
    return (NOW - moment_ago).isoformat().replace("+00:00", "Z")


@pytest.fixture
async def fresh(desk: Asking) -> Asking:
    """Outreach that could not read the scorer yet, which knows of six people."""
    desk.scorer.status = 503
    desk.scorer.people = [
        known_person("acme", "asked", last_asked_at=at(20 * DAY)),
        known_person("acme", "answered", last_answered_at={"relationship": at(20 * DAY), "transactional": None}),
        known_person("acme", "bounced", bounced_at=at(DAY)),
        known_person("acme", "objecting", unsubscribed_at=at(DAY), email="objecting@acme.example"),
        known_person("acme", "nothing"),
        known_person("acme", "erased", last_asked_at=at(DAY)),
    ]
    async with desk.database.write() as tx:
        await tx.execute("delete from readings")
    people = ("asked", "answered", "bounced", "objecting", "nothing", "erased")
    await desk.take(account(), *map(person, people))
    return desk


async def test_c3_no_link_is_made_before_the_reading(fresh: Asking) -> None:
    with pytest.raises(Unavailable):
        await fresh.read()
    answer = await fresh.client.post("/v1/surveys/srv_rel/links", json={"filter": {}})
    assert (answer.status_code, answer.json()["code"]) == (503, "reading_behind")
    assert "scorer" in answer.json()["detail"]
    assert await fresh.rows("asks") == []


async def test_c3_then_everybody_is_known_as_the_scorer_knows_them(fresh: Asking) -> None:
    await fresh.take(fresh.erasure_of("erased"))
    fresh.scorer.status = 200
    await fresh.read()
    people = ("asked", "answered", "bounced", "objecting", "nothing")
    reasons = [(row["problem"] or {}).get("reason") for row in await fresh.links(*people)]
    assert reasons == ["quarantine", "already_answered", "bounced", "objected", None]
    assert "erased" not in {row["stakeholder_id"] for row in await fresh.rows("contacts")}
    assert len((await fresh.get("/v1/suppressions"))["items"]) == 1


async def test_c3_a_reading_that_waits_for_an_erasure_brings_nothing_back(fresh: Asking) -> None:
    fresh.scorer.status = 200
    async with fresh.database.write() as tx:
        await tx.lock_accounts(["acme"])
        reading = asyncio.create_task(fresh.read())
        await fresh.waiting(1)
        await fresh.take_in(tx, fresh.erasure_of("erased"), fresh.erasure_of("asked"))
    await reading
    assert {row["stakeholder_id"] for row in await fresh.rows("contacts")} == {"answered", "bounced", "objecting"}


async def test_c3_a_scorer_that_does_not_say_yet_is_no_reading(fresh: Asking) -> None:
    fresh.scorer.status = 200
    fresh.scorer.people = [{"account_id": "acme", "stakeholder_id": "ann", "email": None}]
    with pytest.raises(Unavailable) as refusal:
        await fresh.read()
    assert refusal.value.code == "scorer_outdated"
    assert not await fresh.is_read()


async def test_c3_everybody_is_read_again_after_records_were_lost(fresh: Asking) -> None:
    fresh.scorer.status = 200
    await fresh.read()
    asked = fresh.scorer.asked
    await fresh.read()
    assert fresh.scorer.asked == asked
    fresh.scorer.status = 503
    async with fresh.database.write() as tx:
        await tx.execute(
            "insert into cursors (topic, partition, next_offset, accepted_gap) values ('invitations', 0, 10, 7)"
        )
    answer = await fresh.client.post("/v1/surveys/srv_rel/links", json={"filter": {}})
    assert answer.json()["code"] == "reading_behind"
    fresh.scorer.status = 200
    await fresh.read()
    assert await fresh.is_read()
