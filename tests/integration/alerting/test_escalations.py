"""Escalation on the running service: every level once, never at night, never after somebody took it on."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.events.directory import Contact
from shared.telemetry.metrics import exposition
from shared.topics import FOLLOW_UP_ESCALATED
from tests.integration.alerting.cases import MONDAY, Case, pair
from tests.integration.alerting.running_alerting import Item, RunningAlerting, running_alerting
from tests.support.environment import Environment

SPONSOR = Contact(name="Sam Sponsor", email="sam@supplier.example")


def june(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def to(alerting: RunningAlerting, at: datetime) -> None:
    alerting.clock.advance(at - alerting.clock.now())


async def run_timer_at(alerting: RunningAlerting, at: datetime, name: str = "escalations") -> None:
    to(alerting, at)
    await alerting.run_timer(name)


async def opened(alerting: RunningAlerting, acme: Case) -> Item:
    await alerting.emit(acme.account(sponsor=SPONSOR), acme.person(), acme.answered("r1", 2))
    return await alerting.only(acme)


async def levels(alerting: RunningAlerting, task: Item) -> list[tuple[int, str | None]]:
    return [(level["level"], level["fired_at"]) for level in (await alerting.get(task["follow_up_id"]))["escalations"]]


async def test_each_level_fires_once_and_is_told_to_everybody(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        await alerting.subscribe("follow_up.escalated")
        task = await opened(alerting, acme)
        await run_timer_at(alerting, june(8, 13, 59))
        assert await levels(alerting, task) == [(1, None), (2, None)]
        await run_timer_at(alerting, june(8, 14))
        await alerting.run_timer("escalations")
        assert await levels(alerting, task) == [(1, "2026-06-08T14:00:00Z"), (2, None)]
        await run_timer_at(alerting, june(8, 22))
        assert await levels(alerting, task) == [(1, "2026-06-08T14:00:00Z"), (2, None)], "nobody is called at night"
        await run_timer_at(alerting, june(9, 9))
        await run_timer_at(alerting, june(20, 12))
        assert await levels(alerting, task) == [(1, "2026-06-08T14:00:00Z"), (2, "2026-06-09T09:00:00Z")]
        events = await alerting.published(acme, FOLLOW_UP_ESCALATED)
        assert [event.data.version for event in events] == [2, 3]  # type: ignore[attr-defined]
        first, second = await alerting.messages(acme)
        assert first["type"] == "follow_up.escalated"
        assert {name: first["data"]["change"][name] for name in ("level", "cause", "to", "contact")} == {
            "level": 1,
            "cause": "overdue",
            "to": "sponsor",
            "contact": {"name": "Sam Sponsor", "email": "sam@supplier.example"},
        }
        assert first["id"] != second["id"]
        lines = [
            line for line in (await alerting.get(task["follow_up_id"]))["history"] if line["action"] == "escalated"
        ]
        assert [line["actor"] for line in lines] == ["system", "system"]


async def test_who_takes_it_on_a_moment_before_is_never_overtaken(environment: Environment, acme: Case) -> None:
    """Given an acknowledgement just before the due time, then no escalation fires later, even if the escalator had
    taken it up."""
    async with running_alerting(environment) as alerting:
        task = await opened(alerting, acme)
        to(alerting, june(8, 13, 59))
        await alerting.do(task["follow_up_id"], "acknowledge")
        for day in (8, 9):
            await run_timer_at(alerting, june(day, 14))
        assert await alerting.published(acme, FOLLOW_UP_ESCALATED) == []
        await alerting.do(task["follow_up_id"], "start")
        await run_timer_at(alerting, june(11, 12), "acknowledgements")
        assert (await alerting.only(acme))["state"] == "in_progress"


async def test_what_was_taken_on_and_left_is_open_again_once_and_never_after_seven_days(
    environment: Environment, acme: Case
) -> None:
    """Given an acknowledgement older than its timeout, then re-opened once, and never beyond seven days."""
    async with running_alerting(environment) as alerting:
        task = await opened(alerting, acme)
        late = Case(f"{acme.account_id}-late")
        await alerting.emit(late.account(), late.answered("r1", 2))
        forgotten = await alerting.only(late)
        for item in (task, forgotten):
            await alerting.do(item["follow_up_id"], "acknowledge")
        async with alerting.plumbing.database.write() as tx:
            # As if this one had been missed for a week, the service being down.
            await tx.execute(
                "update tasks set acknowledged_at = acknowledged_at - interval '6 days' where account_id = :account_id",
                account_id=late.account_id,
            )
        await run_timer_at(alerting, june(10, 10), "acknowledgements")
        opened_again = await alerting.get(task["follow_up_id"])
        assert (opened_again["state"], opened_again["unacknowledged_at"]) == ("open", "2026-06-10T10:00:00Z")
        assert opened_again["acknowledged_at"] == "2026-06-08T10:00:00Z", "the first touch stays"
        assert (await alerting.only(late))["state"] == "acknowledged"
        await run_timer_at(alerting, june(10, 11))
        assert (await levels(alerting, task))[0][1] is not None, "whoever had not heard of it hears now"
        await alerting.do(task["follow_up_id"], "acknowledge")
        await run_timer_at(alerting, june(15, 9), "acknowledgements")
        assert (await alerting.only(acme))["state"] == "acknowledged", "once"


async def test_a_pause_outlives_a_restart_and_counts_under_another_policy(environment: Environment, acme: Case) -> None:
    """Given a two-hour pause, a restart during it, resume, then a change of policy, then the due time under the new
    policy still includes those two hours."""
    async with running_alerting(environment) as first:
        await first.emit(acme.account(), acme.answered("r1", 5))
        task = await first.only(acme)
        assert task["due_at"] == "2026-06-09T10:00:00Z"
        await first.do(task["follow_up_id"], "snooze", until="2026-06-08T12:00:00Z")
    async with running_alerting(environment, june(8, 11)) as second:
        second.sent.extend(first.sent)
        await run_timer_at(second, june(8, 12, 30), "snoozes")
        woken = await second.get(task["follow_up_id"])
        assert (woken["state"], woken["due_at"], woken["paused_seconds"]) == ("open", "2026-06-09T12:00:00Z", 7200)
        changed = await second.client.patch(
            "/v1/rules/detractor_0_3", json={"due": {"amount": 2, "unit": "business_hours"}}
        )
        assert changed.status_code == 200
        assert (await second.only(acme))["due_at"] == "2026-06-09T12:00:00Z", "a running follow-up keeps its times"
        old, new = acme.ref("r1", 5), acme.ref("r1", 1)
        await second.emit(acme.corrected("r1", pair(old), pair(new), "amended"))
        corrected = await second.get(task["follow_up_id"])
        assert corrected["due_at"] == "2026-06-08T14:00:00Z", "two hours by the new policy, and the two of the pause"
        assert corrected["escalations"][0]["due_at"] == "2026-06-08T14:00:00Z"


async def test_a_promise_near_and_past_its_date_escalates_while_somebody_works_on_it(
    environment: Environment, acme: Case
) -> None:
    async with running_alerting(environment) as alerting:
        task = await opened(alerting, acme)
        key = task["follow_up_id"]
        await alerting.do(key, "start")
        await alerting.do(key, "promise", what="a fix", by="2026-06-11T12:00:00Z")
        causes = [
            (level["cause"], level["to"], level["due_at"]) for level in (await alerting.get(key))["escalations"][2:]
        ]
        assert causes == [
            ("promise_near", "owner", "2026-06-10T12:00:00Z"),
            ("promise_past", "sponsor", "2026-06-11T12:00:00Z"),
        ]
        for day in (9, 10, 11, 12):
            await run_timer_at(alerting, june(day, 12))
        fired = [line["comment"] for line in (await alerting.get(key))["history"] if line["action"] == "escalated"]
        assert fired == [
            "what was promised is due: level 3, to Olivia Owner",
            "what was promised is past its date: level 4, to Sam Sponsor",
        ]


async def test_a_follow_up_opened_by_hand_escalates_by_its_severity(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        await alerting.emit(acme.account(sponsor=SPONSOR))
        body = {"account_id": acme.account_id, "severity": "high", "reason": "asked at the fair"}
        made = (await alerting.client.post("/v1/follow-ups", json=body)).json()
        assert [(level["to"], level["due_at"]) for level in made["escalations"]] == [
            ("owner", "2026-06-09T10:00:00Z"),
            ("sponsor", "2026-06-10T10:00:00Z"),
            ("leader", "2026-06-11T10:00:00Z"),
        ]
        await run_timer_at(alerting, june(9, 10))
        assert (await levels(alerting, made))[0][1] == "2026-06-09T10:00:00Z"


def overdue() -> float:
    lines = exposition().decode().splitlines()
    (line,) = (line for line in lines if line.startswith("tellback_tasks_overdue_without_escalation "))
    return float(line.split()[-1])


async def test_the_auditor_counts_what_should_have_fired_and_has_not(
    environment: Environment, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_ALERTING_ESCALATION_SECONDS", "3600")
    async with running_alerting(environment) as alerting:
        await opened(alerting, acme)
        await run_timer_at(alerting, june(8, 14, 0), "audit")
        assert overdue() == 0, "it has a minute"
        await run_timer_at(alerting, june(8, 14, 2), "audit")
        assert overdue() == 1
        await run_timer_at(alerting, june(8, 23), "audit")
        assert overdue() == 0, "at night nothing is late"
        await run_timer_at(alerting, june(9, 9))
        await alerting.run_timer("audit")
        assert overdue() == 0


async def test_two_who_look_at_once_fire_once(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        tasks: list[Any] = []
        for number in range(10):
            case = Case(f"{acme.account_id}-{number}")
            await alerting.emit(case.account(), case.answered("r1", 2))
            tasks.append(await alerting.only(case))
        to(alerting, june(8, 15))
        await asyncio.gather(*(alerting.run_timer("escalations") for _ in range(4)))
        assert await alerting.number("select count(*) from task_escalations") == 10
        assert await alerting.number("select count(*) from task_history where action = 'escalated'") == 10
        assert alerting.clock.now() > MONDAY
