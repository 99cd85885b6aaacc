"""C3: before the first link it is read from the scorer whom others have asked; until then none is made."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.environment import Environment
from tests.support.outreach import DAY, NOW, Asking, ScorerOfTests, account, asking, known_person, person
from tests.support.polling import eventually


def at(moment_ago: timedelta) -> str:
    """A moment before `NOW` as the scorer writes it."""
    return (NOW - moment_ago).isoformat().replace("+00:00", "Z")


@pytest.fixture
def scorer() -> ScorerOfTests:
    """Four people whom somebody asked, of whom two answered, one bounced and one objected; and one who was erased."""
    return ScorerOfTests(
        [
            known_person("acme", "asked", last_asked_at=at(10 * DAY)),
            known_person("acme", "answered", last_answered_at={"relationship": at(20 * DAY), "transactional": None}),
            known_person("acme", "bounced", bounced_at=at(DAY)),
            known_person("acme", "objecting", unsubscribed_at=at(DAY), email="objecting@acme.example"),
            known_person("acme", "nothing"),
            known_person("acme", "erased", last_asked_at=at(DAY)),
        ]
    )


@pytest.fixture
async def fresh(database_only: Environment, scorer: ScorerOfTests) -> AsyncIterator[Asking]:
    """Outreach that could not read the scorer yet."""
    scorer.status = 503
    async with asking(database_only, scorer) as found:
        await found.survey()
        people = ("asked", "answered", "bounced", "objecting", "nothing", "erased")
        await found.take(account(), *(person(one) for one in people))
        yield found


async def test_c3_no_link_is_made_before_the_reading(fresh: Asking, scorer: ScorerOfTests) -> None:
    await eventually(lambda: scorer.asked)
    answer = await fresh.client.post("/v1/surveys/srv_rel/links", json={"filter": {}})
    assert (answer.status_code, answer.json()["code"]) == (503, "reading_behind")
    assert "scorer" in answer.json()["detail"]
    assert await fresh.rows("asks") == []


async def test_c3_then_everybody_is_known_as_the_scorer_knows_them(fresh: Asking, scorer: ScorerOfTests) -> None:
    await fresh.take(fresh.erasure_of("erased"))
    scorer.status = 200
    await eventually(fresh.is_read, timeout=30)
    people = ("asked", "answered", "bounced", "objecting", "nothing")
    reasons = [(row["problem"] or {}).get("reason") for row in await fresh.links(*people)]
    assert reasons == ["quarantine", "already_answered", "bounced", "objected", None]
    assert "erased" not in {row["stakeholder_id"] for row in await fresh.rows("contacts")}
    assert len((await fresh.get("/v1/suppressions"))["items"]) == 1


async def test_c3_everybody_is_read_again_after_records_were_lost(desk: Asking) -> None:
    assert await desk.is_read()
    async with desk.database.write() as tx:
        await tx.execute(
            "insert into cursors (topic, partition, next_offset, accepted_gap) values ('invitations', 0, 10, 7)"
        )
    assert not await desk.is_read()
    answer = await desk.client.post("/v1/surveys/srv_rel/links", json={"filter": {}})
    assert answer.json()["code"] == "reading_behind"
