"""Erasure empties outreach of a person, in any order of events; the objection survives as a hash."""

from datetime import timedelta

import pytest

from services.outreach.api.erasures import Erasure
from shared.http.erasures import counts_of
from tests.support.outreach import DAY, NOW, Asking, account, answered, invited, person

TABLES = ("asks", "ask_changes", "outgoing", "contacts", "answers", "stakeholders", "aliases")


@pytest.fixture(autouse=True)
async def people(desk: Asking) -> None:
    """Ann, who has another id as well, at Acme, whom Olivia owns."""
    await desk.take(account(owner="olivia@us.example"), person(aliases=("ann.lee@acme.example",)))


async def test_5_9_nothing_of_the_person_stays_and_the_receipt_says_how_much_went(desk: Asking) -> None:
    await desk.link()
    await desk.take(answered(NOW - DAY), invited("sent", NOW - DAY, stakeholder_id="ann.lee@acme.example"))
    desk.clock.advance(DAY)
    erasure = desk.erasure_of()
    await desk.take(erasure, erasure)
    receipt = await desk.get(f"/v1/erasures/{erasure.data.receipt_id}")  # type: ignore[attr-defined]
    assert (receipt["status"], receipt["asks"], receipt["calls"]) == ("applied", 1, 1)
    assert {"asks", "calls"} == set(counts_of(Erasure))
    left = {table: await desk.rows(table) for table in TABLES if table != "contacts"}
    assert not any(left.values()), left
    stored = str([await desk.rows(table) for table in (*TABLES, "suppressions", "erasures", "accounts")])
    assert "'ann'" not in stored


async def test_5_9_the_objection_survives_as_a_hash(desk: Asking) -> None:
    await desk.take(invited("unsubscribed", NOW))
    desk.clock.advance(DAY)
    await desk.take(desk.erasure_of())
    assert await desk.rows("stakeholders") == []
    later = desk.clock.advance(DAY)
    await desk.take(person(email="ANN@acme.example", recorded_at=later))
    assert await desk.reason() == "objected"


async def test_5_9_an_objection_that_came_before_the_address_survives(desk: Asking) -> None:
    await desk.take(invited("unsubscribed", NOW, stakeholder_id="new@acme.example"))
    assert await desk.rows("suppressions") == []
    desk.clock.advance(DAY)
    await desk.take(desk.erasure_of("new@acme.example"))
    later = desk.clock.advance(DAY)
    await desk.take(person("p-9", email="new@acme.example", recorded_at=later))
    assert await desk.reason("p-9") == "objected"


async def test_c33_what_was_recorded_or_happened_before_is_dropped_however_late_it_comes(desk: Asking) -> None:
    erased_at = desk.clock.advance(DAY)
    await desk.take(desk.erasure_of())
    late = erased_at + timedelta(hours=1)
    await desk.take(
        answered(NOW, recorded_at=late),
        invited("sent", NOW, recorded_at=late),
        invited("unsubscribed", NOW, recorded_at=late),
        person(recorded_at=NOW),
    )
    assert await desk.rows("answers") == []
    assert await desk.rows("contacts") == []
    assert await desk.rows("stakeholders") == []
    assert await desk.rows("suppressions") == []


async def test_what_was_done_with_the_person_since_stays(desk: Asking) -> None:
    erasure = desk.erasure_of(erased_at=NOW - timedelta(hours=1))
    at = NOW + timedelta(minutes=1)
    ask_id = (await desk.link())["invitation_id"]
    await desk.take(answered(NOW - DAY, "old"), answered(at, "since", recorded_at=at))
    await desk.take(erasure)
    assert [row["response_id"] for row in await desk.rows("answers")] == ["since"]
    assert (await desk.get(f"/v1/asks/{ask_id}"))["state"] == "sent"
    assert [row["last_asked_at"] for row in await desk.rows("contacts")] == [NOW]


async def test_the_receipt_is_there_for_those_who_may_erase_and_see_the_account(desk: Asking) -> None:
    erasure = desk.erasure_of()
    path = f"/v1/erasures/{erasure.data.receipt_id}"  # type: ignore[attr-defined]
    assert (await desk.client.get(path)).json()["code"] == "erasure_not_found"
    await desk.take(erasure)
    olivia = await desk.with_key("erase", owner_email="olivia@us.example")
    ben = await desk.with_key("erase", owner_email="ben@us.example")
    reader = await desk.with_key("read", "manage")
    assert (await olivia.client.get(path)).status_code == 200
    assert (await ben.client.get(path)).status_code == 404
    assert (await reader.client.get(path)).status_code == 403


async def test_5_9_a_call_that_waited_for_an_erasure_keeps_nothing_of_the_person(desk: Asking) -> None:
    await desk.take(desk.erasure_of(erased_at=desk.clock.now() + timedelta(seconds=1)))
    row = await desk.link()
    assert (row["problem"]["reason"], row["invitation_id"]) == ("not_in_directory", None)
    assert await desk.rows("asks") == []
