"""What came of follow-ups: the next score of the person, and the figures of the closed loop."""

from datetime import timedelta
from typing import Any

from tests.integration.alerting.cases import MONDAY, Case, pair
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def next_answer(alerting: RunningAlerting, follow_up_id: str) -> Any:
    return (await alerting.get(follow_up_id))["next_answer"]


async def test_the_next_score_after_closing_stays_with_the_follow_up_and_is_told(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.subscribe("follow_up.updated")
    await alerting.emit(acme.account(), acme.answered("r1", 3))
    key = (await alerting.only(acme))["follow_up_id"]
    assert await next_answer(alerting, key) is None
    closed = await alerting.do(key, "close", outcome="resolved")
    await alerting.emit(acme.answered("r2", 9, MONDAY + DAY))
    assert await next_answer(alerting, key) == {
        "response_id": acme.id("r2"),
        "score": 9,
        "answered_at": "2026-06-09T09:59:00Z",
        "result": "recovered",
    }
    await alerting.emit(acme.answered("r3", 2, MONDAY + 2 * DAY))
    assert (await next_answer(alerting, key))["response_id"] == acme.id("r2"), "the first after the end"
    assert (await alerting.get(key))["version"] == closed["version"], "nobody's work went stale"
    (message,) = (m for m in await alerting.messages(acme) if m["data"]["change"]["kind"] == "next_answer")
    assert {name: message["data"]["change"][name] for name in ("score", "before", "result")} == {
        "score": 9,
        "before": 3,
        "result": "recovered",
    }


async def test_while_it_is_open_the_newest_counts_and_an_occurrence_starts_anew(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 3))
    key = (await alerting.only(acme))["follow_up_id"]
    await alerting.do(key, "acknowledge")
    await alerting.emit(acme.answered("r2", 7, MONDAY + HOUR))
    assert (await next_answer(alerting, key))["result"] == "recovered"
    await alerting.emit(acme.answered("r3", 2, MONDAY + 2 * HOUR))
    assert await next_answer(alerting, key) is None, "a detractor again: the same follow-up, from the new score"
    await alerting.emit(acme.answered("r4", 2, MONDAY + 3 * HOUR, survey_type="csat"))
    assert await next_answer(alerting, key) is None, "another question"


async def test_a_next_answer_that_is_corrected_is_evaluated_again_or_taken_back(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 3))
    key = (await alerting.only(acme))["follow_up_id"]
    await alerting.do(key, "close", outcome="resolved")
    await alerting.emit(acme.answered("r2", 9, MONDAY + HOUR))
    first, nine, six = acme.ref("r1", 3), acme.ref("r2", 9), acme.ref("r2", 5)
    await alerting.emit(acme.corrected("r2", pair(nine, first), pair(six, first), "amended"))
    assert (await next_answer(alerting, key))["result"] == "unchanged"
    await alerting.emit(acme.corrected("r2", pair(six, first), pair(first), "withdrawn"))
    assert await next_answer(alerting, key) is None


async def test_the_figures_of_the_closed_loop(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        people = ("ann", "bob", "eva", "kim")
        await alerting.emit(acme.account(), *(acme.answered(f"r-{name}", 2, stakeholder_id=name) for name in people))
        tasks = {item["stakeholder_id"]: item["follow_up_id"] for item in await alerting.items(acme)}
        alerting.clock.advance(HOUR)
        await alerting.do(tasks["ann"], "acknowledge")
        alerting.clock.advance(2 * HOUR)
        await alerting.do(tasks["bob"], "acknowledge")
        await alerting.do(tasks["ann"], "close", outcome="resolved", root_cause="support", told_customer=True)
        await alerting.do(tasks["bob"], "close", outcome="resolved", root_cause="support")
        alerting.clock.advance(2 * HOUR)
        await alerting.run_timer("escalations")
        await alerting.do(tasks["eva"], "close", outcome="dismissed")
        await alerting.emit(
            acme.answered("n-ann", 9, MONDAY + DAY, stakeholder_id="ann"),
            acme.answered("n-bob", 6, MONDAY + DAY, stakeholder_id="bob"),
        )
        answer = await alerting.client.get("/v1/follow-ups/summary", params={"group_by": "kind"})
        groups = {group["group"]["kind"]: group for group in answer.json()["groups"]}
        found = groups["detractor"]
        # Bob's second answer is a detractor again: a fifth follow-up, which the first one's next score tells of.
        expected = {
            "opened_count": 5,
            "open_count": 2,
            "resolved_count": 2,
            "dismissed_count": 1,
            "told_customer_count": 1,
            "escalated_count": 2,
            "recovered_count": 1,
            "unchanged_count": 1,
            "worse_count": 0,
            "recovered_rate": 0.5,
            "loop_count": 4,
            "closed_loop_count": 2,
            "closed_loop_rate": 0.5,
            "median_hours_to_first_touch": 3.0,
            "median_hours_to_close": 3.0,
        }
        assert {name: found[name] for name in expected} == expected
        assert found["on_time_rate"] == 0.5, "ann and bob in time; eva late, kim not at all; the newest is not due yet"


async def test_a_chance_to_grow_is_no_loop_to_close(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(
        acme.account(), acme.answered("r1", 9, change="new_promoter"), acme.answered("r2", 2, stakeholder_id="bob")
    )
    for item in await alerting.items(acme):
        await alerting.do(item["follow_up_id"], "close", outcome="resolved")
    answer = await alerting.client.get("/v1/follow-ups/summary", params={"account_id": acme.account_id})
    (whole,) = answer.json()["groups"]
    assert (whole["closed_count"], whole["loop_count"], whole["closed_loop_count"]) == (2, 1, 1)
    query = {"account_id": acme.account_id, "group_by": "kind"}
    groups = (await alerting.client.get("/v1/follow-ups/summary", params=query)).json()["groups"]
    rates = {group["group"]["kind"]: group["closed_loop_rate"] for group in groups}
    assert rates == {"new_promoter": None, "detractor": 1.0}
