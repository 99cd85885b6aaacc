"""What webhooks say: numbered messages with stable ids, written beside what they tell about."""

from datetime import timedelta
from typing import Any

import pytest

from shared.ids import derived_uuid
from tests.integration.alerting.cases import MONDAY, Case, pair
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment

LATER = MONDAY + timedelta(minutes=5)


@pytest.fixture(scope="module", autouse=True)
async def everything(alerting: RunningAlerting) -> None:
    """An endpoint that wants it all."""
    await alerting.subscribe(
        "follow_up.opened",
        "follow_up.updated",
        "follow_up.closed",
        "stakeholder.category_changed",
        "account_score.changed",
        "account_score.dropped",
    )


async def test_a_new_follow_up_is_told_with_account_person_answer_task_change_and_crm_blocks(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(
        acme.account(tier="key", industry="logistics", attributes={"salesforce_id": "001X", "hubspot_owner_id": 7}),
        acme.person(attributes={"salesforce_id": "003X", "hubspot_id": "55"}),
        acme.response("r0", 9, answered_at=MONDAY - timedelta(days=90), quiet=True),
        acme.response("r1", 4, comment="Lieferung zu spät 🙁", touchpoint="delivery"),
    )
    await alerting.emit(acme.fell("r1", 9, 4))
    opened, changed = await alerting.messages(acme)
    assert (changed["type"], changed["sequence"]) == ("stakeholder.category_changed", 2)
    assert (opened["type"], opened["sequence"]) == ("follow_up.opened", 1)
    assert opened["timestamp"] == "2026-06-08T10:00:00Z"
    data = opened["data"]
    assert (data["account"]["name"], data["account"]["tier"]) == ("Acme", "key")
    assert (data["stakeholder"]["name"], data["stakeholder"]["email"]) == ("Jane Doe", "jane@acme.example")
    assert (data["response"]["comment"], data["response"]["truncated"]) == ("Lieferung zu spät 🙁", False)
    assert data["response"]["category"] == "detractor"
    assert (data["change"]["kind"], data["change"]["from"], data["change"]["to"]) == (
        "promoter_to_detractor",
        "promoter",
        "detractor",
    )
    item = await alerting.only(acme)
    assert item.pop("promise") is None
    assert {name: data["task"][name] for name in item} == item
    assert data["task"]["title"] == "Detractor (4): Jane Doe, Acme"
    salesforce, hubspot = data["crm"]["salesforce"], data["crm"]["hubspot"]
    assert (salesforce["Subject"], salesforce["Priority"], salesforce["Status"]) == (
        "Detractor (4): Jane Doe, Acme",
        "High",
        "Not Started",
    )
    assert (salesforce["WhatId"], salesforce["WhoId"], salesforce["ActivityDate"]) == ("001X", "003X", "2026-06-09")
    assert salesforce["Tellback_Follow_Up_Id__c"] == item["follow_up_id"]
    assert hubspot["properties"]["hubspot_owner_id"] == "7"
    assert hubspot["associations"][0]["to"] == {"id": "55"}
    history = (await alerting.get(item["follow_up_id"]))["history"]
    assert [line["webhook_id"] for line in history] == [opened["id"]]
    assert changed["data"]["change"]["response_id"] == acme.id("r1")


async def test_a_comment_that_comes_later_is_an_update_with_another_id(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.response("r1"), acme.answered("r1", 2))
    await alerting.emit(acme.amended("r1", comment="now I can say why"))
    opened, updated = await alerting.messages(acme)
    assert (opened["type"], updated["type"]) == ("follow_up.opened", "follow_up.updated")
    assert (opened["data"]["response"]["comment"], updated["data"]["response"]["comment"]) == (
        None,
        "now I can say why",
    )
    assert updated["id"] != opened["id"]
    assert updated["data"]["task"]["version"] == 1, "the task itself has not changed"


async def test_an_answer_that_comes_after_its_score_event_completes_the_follow_up(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.answered("r1", 2))
    await alerting.emit(acme.response("r1", comment="late on another topic"))
    opened, updated = await alerting.messages(acme)
    assert "response" not in opened["data"]
    assert updated["data"]["response"]["comment"] == "late on another topic"


async def test_a_long_comment_is_cut_and_says_so(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.response("r1", comment="é" * 10_000), acme.answered("r1", 2))
    (opened,) = await alerting.messages(acme)
    response = opened["data"]["response"]
    assert (len(response["comment"]), response["truncated"]) == (8_000, True)
    assert response["link"] == f"http://127.0.0.1:8000/accounts/{acme.account_id}/people/jane"
    detail = await alerting.get((await alerting.only(acme))["follow_up_id"])
    assert len(detail["response"]["comment"]) == 10_000, "whole where somebody works on it"


async def test_every_change_is_told_once_and_in_order(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.answered("r1", 2))
    await alerting.emit(acme.answered("r2", 2, LATER))
    task = (await alerting.only(acme))["follow_up_id"]
    await alerting.do(task, "acknowledge")
    await alerting.do(task, "acknowledge")
    await alerting.do(task, "close", outcome="resolved")
    await alerting.do(task, "close", 409)
    messages = await alerting.messages(acme)
    assert [message["type"].removeprefix("follow_up.") for message in messages] == [
        "opened",
        "updated",
        "updated",
        "closed",
    ]
    assert [message["sequence"] for message in messages] == [1, 2, 3, 4]
    assert [message["data"]["task"]["version"] for message in messages] == [1, 2, 3, 4]
    assert messages[-1]["data"]["crm"]["hubspot"]["properties"]["hs_task_status"] == "COMPLETED"


async def test_the_score_of_an_account_is_told_when_it_moves_and_not_when_it_is_old(
    alerting: RunningAlerting, acme: Case
) -> None:
    first, second = acme.scored(1, 40.0), acme.scored(2, 20.0, "at_risk")
    await alerting.emit(acme.account(), first, second)
    await alerting.emit(second, acme.scored(1, 50.0))
    earlier, later = await alerting.messages(acme)
    assert (earlier["id"], later["id"]) == (f"msg_{first.id}", f"msg_{second.id}")
    change = later["data"]["change"]
    assert change["nps"] == {"90d": {"from": 40.0, "to": 20.0}}
    assert change["account_class"] == {"from": "steady", "to": "at_risk"}
    assert change["figures"]["90d"]["response_count"] == 7


async def test_a_drop_of_the_score_is_told_beside_its_follow_up(alerting: RunningAlerting, acme: Case) -> None:
    event = acme.dropped(10.0, 35.0)
    await alerting.emit(event)
    dropped, opened = await alerting.messages(acme)
    assert (dropped["type"], dropped["id"]) == ("account_score.dropped", f"msg_{event.id}")
    assert (opened["type"], opened["data"]["stakeholder"]) == ("follow_up.opened", None)


async def test_a_change_of_category_has_the_id_of_its_event_and_is_told_once(
    alerting: RunningAlerting, acme: Case
) -> None:
    event = acme.answered("r1", 9, change="new_promoter")
    await alerting.emit(event)
    await alerting.emit(event)
    message, opened = await alerting.messages(acme)
    assert (message["type"], message["id"]) == ("stakeholder.category_changed", f"msg_{event.id}")
    assert message["data"]["change"]["kind"] == "new_promoter"
    assert opened["type"] == "follow_up.opened"


async def test_an_amended_answer_tells_the_change_that_it_is_now(alerting: RunningAlerting, acme: Case) -> None:
    old: Any = pair(acme.ref("r1", 9), change="new_promoter")
    new: Any = pair(acme.ref("r1", 8), change="new_passive")
    await alerting.emit(acme.answered("r1", 9, change="new_promoter"))
    await alerting.emit(acme.corrected("r1", old, new, "amended"))
    messages = [
        message for message in await alerting.messages(acme) if message["type"] == "stakeholder.category_changed"
    ]
    assert [message["data"]["change"]["kind"] for message in messages] == ["new_promoter", "new_passive"]


async def test_erasure_takes_the_bodies_of_messages_about_the_person(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.person(), acme.response("r1", comment="Jane says"), acme.answered("r1", 2))
    await alerting.emit(acme.erased(alerting.environment))
    async with alerting.plumbing.database.read() as tx:
        rows = await tx.all(
            "select body from webhook_messages where account_id = :account_id order by sequence",
            account_id=acme.account_id,
        )
    first, closed = [row["body"] for row in rows]
    assert first is None
    assert b"Jane" not in closed
    assert b'"follow_up.closed"' in closed


async def test_answers_are_counted_in_one_of_the_outcomes(alerting: RunningAlerting, acme: Case) -> None:
    before = await alerting.outcomes()
    late = acme.amended("r2", comment="first the amendment")
    await alerting.emit(late)
    await alerting.emit(acme.response("r1"), acme.response("r1"), acme.response("r2"), late, acme.withdrawn("r1"))
    after = await alerting.outcomes()
    gained = {name: after.get(name, 0) - before.get(name, 0) for name in after}
    assert {name: count for name, count in gained.items() if count} == {
        "pending": 1,
        "new": 2,
        "repeat": 2,
        "change": 1,
    }
    async with alerting.plumbing.database.read() as tx:
        rows = await tx.all(
            "select comment, withdrawn from responses where account_id = :a order by response_id",
            a=acme.account_id,
        )
    assert [(row["comment"], row["withdrawn"]) for row in rows] == [(None, True), ("first the amendment", False)]


async def test_answers_are_told_to_who_subscribes_to_them(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        await alerting.subscribe("survey_response.created", "survey_response.updated")
        amendment = acme.amended("r1", comment="and late")
        await alerting.emit(acme.response("r1", 8), acme.response("r1", 8))
        await alerting.emit(
            amendment,
            amendment,
            acme.amended("r1", comment="and late"),
            acme.response("test", test=True),
            acme.response("quiet", quiet=True),
            acme.response("old", answered_at=MONDAY - timedelta(days=31)),
            acme.withdrawn("r1"),
        )
        created, *updated = await alerting.messages(acme)
        assert created["type"] == "survey_response.created"
        assert created["id"] == f"msg_{derived_uuid('created', acme.id('r1'))}"
        assert (created["data"]["response"]["score"], created["data"]["response"]["comment"]) == (8, None)
        assert {message["type"] for message in updated} == {"survey_response.updated"}
        assert updated[-1]["data"]["change"]["kind"] == "withdrawn"
        assert "response" not in updated[-1]["data"]
        assert [message["sequence"] for message in (created, *updated)] == list(range(1, len(updated) + 2))


async def test_nothing_is_numbered_or_stored_that_nobody_wants(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        await alerting.subscribe("follow_up.closed")
        await alerting.emit(acme.scored(1, 10.0), acme.answered("r1", 2, change="new_detractor"))
        await alerting.do((await alerting.only(acme))["follow_up_id"], "close")
        (closed,) = await alerting.messages(acme)
        assert (closed["type"], closed["sequence"]) == ("follow_up.closed", 1)
