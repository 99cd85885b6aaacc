"""What is over: closed by itself, or said so where somebody works on it; listed, closed at once, judged by command."""

from datetime import timedelta

from services.cli.follow_ups import _judge, _preview
from tests.integration.alerting.cases import MONDAY, Case
from tests.integration.alerting.running_alerting import Item, RunningAlerting

LATER = MONDAY + timedelta(hours=1)


async def worked_on(alerting: RunningAlerting, acme: Case) -> Item:
    """A detractor whom somebody has called, and who has thought again."""
    await alerting.emit(acme.account(), acme.person(), acme.response("r1", 2), acme.answered("r1", 2))
    task = (await alerting.only(acme))["follow_up_id"]
    await alerting.do(task, "acknowledge")
    await alerting.emit(acme.response("r2", 9, answered_at=LATER), acme.fell("r2", 2, 9, LATER))
    return await alerting.get(task)


async def test_what_somebody_works_on_says_since_when_and_why_it_is_no_longer_so(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.subscribe("follow_up.updated")
    task = await worked_on(alerting, acme)
    assert (task["state"], task["reason_holds"], task["version"]) == ("acknowledged", False, 3)
    assert (task["over_because"], task["proposed_outcome"]) == ("answered 9 on 2026-06-08", "improved")
    changes = [
        message["data"]["change"]
        for message in await alerting.messages(acme)
        if message["data"]["task"]["version"] == 3
    ]
    assert changes[0] == {
        "kind": "reason",
        "reason_holds": False,
        "because": "answered 9 on 2026-06-08",
        "outcome": "improved",
    }
    listed = await alerting.items(acme, reason_holds="false")
    assert [item["follow_up_id"] for item in listed] == [task["follow_up_id"]]
    assert [item["kind"] for item in await alerting.items(acme, reason_holds="true")] == ["recovered"]
    closed = await alerting.do(task["follow_up_id"], "close", outcome="improved")
    assert (closed["outcome"], closed["closed_by"]) == ("improved", "person")


async def test_an_outcome_of_facts_is_refused_while_the_reason_holds(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.answered("r1", 2))
    task = (await alerting.only(acme))["follow_up_id"]
    problem = await alerting.do(task, "close", 422, outcome="improved")
    assert (problem["code"], [error["field"] for error in problem["errors"]]) == ("reason_holds", ["outcome"])
    assert (await alerting.only(acme))["state"] == "open"


async def test_many_are_closed_at_once_and_one_of_another_version_is_left_alone(
    alerting: RunningAlerting, acme: Case
) -> None:
    over = await worked_on(alerting, acme)
    await alerting.emit(acme.answered("r3", 2, stakeholder_id="bob"), acme.answered("r4", 2, stakeholder_id="eve"))
    bob = await alerting.only(acme, stakeholder_id="bob")
    eve = await alerting.only(acme, stakeholder_id="eve")
    await alerting.do(eve["follow_up_id"], "acknowledge")
    seen = [{"follow_up_id": item["follow_up_id"], "version": item["version"]} for item in (over, bob, eve)]
    answer = await alerting.client.post("/v1/follow-ups/close", json={"follow_ups": seen})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["closed"], body["refused"]) == (2, 1)
    assert [(result["status"], result["outcome"]) for result in body["results"]] == [
        ("closed", "improved"),
        ("closed", "resolved"),
        ("refused", None),
    ]
    assert body["results"][2]["problem"]["code"] == "stale_version"
    assert (await alerting.get(eve["follow_up_id"]))["state"] == "acknowledged"


async def test_what_is_over_does_not_escalate_and_is_not_overdue(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 2))
    task = (await alerting.only(acme))["follow_up_id"]
    await alerting.do(task, "comments", 201, comment="No answer on the phone.")
    await alerting.emit(acme.answered("r2", 9, LATER))
    alerting.clock.advance(timedelta(hours=6))
    try:
        await alerting.run_timer("escalations")
        assert all(level["fired_at"] is None for level in (await alerting.get(task))["escalations"])
        figures = await alerting.client.get("/v1/follow-ups/summary", params={"account_id": acme.account_id})
        (whole,) = figures.json()["groups"]
        assert (whole["overdue_count"], whole["over_count"], whole["closed_by_facts_count"]) == (0, 1, 0)
    finally:
        alerting.clock.advance(-timedelta(hours=6))


async def test_what_facts_closed_is_in_no_rate(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 2))
    await alerting.emit(acme.answered("r2", 9, LATER))
    figures = await alerting.client.get(
        "/v1/follow-ups/summary", params={"account_id": acme.account_id, "group_by": "kind"}
    )
    groups = {group["group"]["kind"]: group for group in figures.json()["groups"]}
    assert groups["detractor"]["closed_by_facts_count"] == 1
    assert (groups["detractor"]["loop_count"], groups["detractor"]["closed_loop_rate"]) == (0, None)


async def test_nothing_opens_for_an_account_that_was_removed_and_what_was_open_closes(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 2))
    await alerting.emit(acme.removed())
    item = await alerting.only(acme)
    assert (item["outcome"], item["closed_by"]) == ("gone", "facts")
    await alerting.emit(acme.answered("r2", 2, LATER, stakeholder_id="bob"))
    assert len(await alerting.items(acme)) == 1


async def test_an_answer_that_the_scorer_knows_a_later_one_of_opens_nothing(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.subscribe("stakeholder.category_changed")
    await alerting.emit(acme.account(), acme.fell("r1", 9, 2, latest=False), acme.answered("r2", 9, LATER))
    assert await alerting.items(acme) == []
    types = [message["type"] for message in await alerting.messages(acme)]
    assert types == ["stakeholder.category_changed"], "the message goes out as ever"


async def test_a_score_that_recovers_closes_the_follow_up_about_its_fall(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.dropped(10.0, 41.5))
    await alerting.emit(acme.recovered(2))
    item = await alerting.only(acme)
    assert (item["kind"], item["outcome"]) == ("account_score_drop", "over")


async def test_the_command_says_what_would_change_and_then_changes_it(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 2))
    async with alerting.plumbing.database.write() as tx:  # as a repair by hand would
        await tx.execute(
            "update responses set base = jsonb_build_object('score', score), score = 9 where account_id = :a",
            a=acme.account_id,
        )
    common = alerting.environment.common
    found, failed = await _preview(common)
    mine = [item for item in found if item["account_id"] == acme.account_id]
    assert [(change["kind"], change["action"]) for change in mine] == [("detractor", "closed")]
    assert (await alerting.only(acme))["state"] == "open", "nothing was written"
    judged, not_judged = await _judge(common)
    assert (judged >= 1, failed, not_judged) == (True, [], [])
    assert (await alerting.only(acme))["state"] == "closed"
