"""Escalation as arithmetic: when each level fires, what a pause and another policy do, and when it is too late."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.alerting.domain import escalation, lifecycle
from services.alerting.domain.escalation import calendar_of, due_at, next_at, planned
from services.alerting.domain.rules import EscalationStep
from services.alerting.domain.tasks import Closing, Contact, Promise, Task, TaskChange, TaskStep
from shared.calendar import BusinessCalendar, Due
from tests.unit.alerting.builders import MONDAY_10, POLICY, answer, opened

HOUR = timedelta(hours=1)
WORK = BusinessCalendar(ZoneInfo("UTC"))
EVE = "key:eve"


def june(day: int, hour: float) -> datetime:
    return datetime(2026, 6, day, tzinfo=UTC) + timedelta(hours=hour)


def by(actor: str, at: datetime) -> TaskChange:
    return TaskChange(actor, at)


def times(task: Task) -> list[tuple[int, str, datetime]]:
    return [(level.level, level.to, level.due_at) for level in task.escalations]


def acknowledged(task: Task, at: datetime) -> Task:
    step = lifecycle.acknowledge(task, by(EVE, at))
    assert step is not None
    return step.task


def test_the_levels_of_a_deep_detractor_go_to_the_sponsor_when_due_and_to_the_leader_four_hours_later() -> None:
    assert times(opened()) == [(1, "sponsor", june(8, 14)), (2, "leader", june(9, 9))]


def test_a_level_at_closing_time_waits_for_the_next_opening() -> None:
    levels = planned(june(8, 18), [EscalationStep(Due(0, "business_hours"), "owner")], WORK)
    assert [level.due_at for level in levels] == [june(9, 9)]


def test_nothing_fires_at_night_even_when_we_come_late() -> None:
    """Given a level that is due at night, then no reminder until business opens."""
    task = opened()
    assert [level.level for level in due_at(task, june(8, 14))] == [1]
    assert due_at(task, june(8, 13.99)) == ()
    assert due_at(task, june(8, 22)) == ()
    assert [level.level for level in due_at(task, june(9, 9))] == [1, 2], "both that were missed, each once"


def test_a_level_that_has_fired_does_not_fire_again() -> None:
    task = lifecycle.escalate(opened(), by("system", june(8, 14)), 1).task
    assert due_at(task, june(8, 15)) == ()
    assert next_at(task) == june(9, 9)
    assert task.version == 2


@pytest.mark.parametrize("state", ["acknowledged", "in_progress", "snoozed", "closed"])
def test_only_what_nobody_has_taken_on_is_overdue(state: str) -> None:
    task = replace(opened(), state=state)  # type: ignore[arg-type]
    assert next_at(task) is None


def test_what_was_taken_on_and_left_is_open_again_once() -> None:
    task = acknowledged(opened(), june(8, 11))
    assert task.ack_expires_at == june(10, 11), "18 business hours are two days"
    assert lifecycle.unacknowledge(task, by("system", june(10, 10))) is None
    step = lifecycle.unacknowledge(task, by("system", june(10, 11)))
    assert step is not None
    assert (step.task.state, step.task.acknowledged_at) == ("open", june(8, 11))
    assert next_at(step.task) == june(10, 11)
    again = acknowledged(step.task, june(10, 12))
    assert again.ack_expires_at is None
    assert lifecycle.unacknowledge(again, by("system", june(12, 12))) is None


def test_seven_days_later_nobody_is_bothered_any_more() -> None:
    task = acknowledged(opened(), june(8, 11))
    assert lifecycle.unacknowledge(task, by("system", june(15, 12))) is None


@pytest.mark.parametrize("action", ["comment", "promise", "assign"])
def test_who_works_on_it_keeps_it(action: str) -> None:
    task, change = acknowledged(opened(), june(8, 11)), by(EVE, june(9, 16))
    steps: dict[str, Callable[[], TaskStep | None]] = {
        "comment": lambda: lifecycle.comment(task, change),
        "promise": lambda: lifecycle.promise(task, change, Promise("a call", june(11, 12))),
        "assign": lambda: lifecycle.assign(task, change, Contact("Eve", "eve@supplier.example")),
    }
    step = steps[action]()
    assert step is not None
    assert step.task.ack_expires_at == june(11, 16)


def test_a_pause_is_added_to_the_due_time_and_to_every_level_in_business_time() -> None:
    away = lifecycle.snooze(opened(), by(EVE, june(8, 13)), june(9, 10)).task
    assert away.due_at == june(8, 14)
    woken = lifecycle.wake(away, by("system", june(9, 10) + timedelta(seconds=4)))
    assert woken is not None
    # five hours of Monday and one of Tuesday: what had one hour left has one hour left
    assert woken.task.paused_seconds == 6 * 3600
    assert woken.task.due_at == june(9, 11)
    assert times(woken.task) == [(1, "sponsor", june(9, 11)), (2, "leader", june(9, 15))]


def test_pauses_add_up_and_a_second_snooze_goes_on_with_the_first() -> None:
    task = lifecycle.snooze(opened(), by(EVE, june(8, 10)), june(8, 11)).task
    task = lifecycle.snooze(task, by(EVE, june(8, 10.5)), june(8, 12)).task
    task = acknowledged(task, june(8, 11))
    assert (task.paused_seconds, task.due_at) == (3600, june(8, 15))
    task = lifecycle.snooze(task, by(EVE, june(8, 12)), june(8, 13)).task
    woken = lifecycle.wake(task, by("system", june(8, 13)))
    assert woken is not None
    assert (woken.task.paused_seconds, woken.task.due_at, woken.task.state) == (7200, june(8, 16), "acknowledged")
    assert escalation.with_pauses(woken.task, june(8, 12)) == june(8, 14), "another policy includes them too"


def test_an_earlier_due_time_takes_the_levels_along() -> None:
    task = opened(answer("r1", 5))
    assert times(task)[0] == (1, "owner", june(9, 10))
    assert escalation.rescheduled(task, june(8, 14))[0].due_at == june(8, 14)


def test_a_promise_is_looked_after_the_business_day_before_and_when_it_is_past() -> None:
    task = lifecycle.promise(opened(), by(EVE, june(8, 11)), Promise("a fix", june(15, 12))).task
    assert times(task)[2:] == [(3, "owner", june(12, 12)), (4, "sponsor", june(15, 12))]
    task = replace(task, state="in_progress")
    assert next_at(task) == june(12, 12), "a promise counts also while somebody works on it"
    newer = lifecycle.promise(task, by(EVE, june(9, 11)), Promise("a fix", june(9, 17))).task
    assert times(newer)[2:] == [(6, "sponsor", june(9, 17))], "the earlier promise is replaced, the day before is past"
    closed = lifecycle.close(newer, by(EVE, june(9, 12)), Closing("resolved")).task
    assert next_at(closed) is None


def test_a_reopened_follow_up_escalates_anew_under_numbers_of_its_own() -> None:
    task = opened()
    for level in (1, 2):
        task = lifecycle.escalate(task, by("system", june(9, 9)), level).task
    closed = lifecycle.close(task, by(EVE, june(9, 12)), Closing("resolved")).task
    reopened = lifecycle.reopen(closed, by(EVE, june(10, 12))).task
    assert [(level.level, level.due_at) for level in reopened.escalations if level.fired_at is None] == [
        (3, june(11, 12)),
        (4, june(11, 16)),
    ]


def test_the_business_time_of_then_is_read_from_the_snapshot() -> None:
    calendar = calendar_of(opened().policy)
    assert (calendar.zone.key, calendar.opens, calendar.closes) == ("UTC", 9 * HOUR, 18 * HOUR)
    assert calendar == POLICY.calendar
    assert calendar_of({}).is_open(MONDAY_10), "an old one without a snapshot keeps plain hours"


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (june(8, 10), june(8, 12), 2),
        (june(8, 17), june(9, 10), 2),
        (june(12, 17), june(15, 10), 2),
        (june(13, 3), june(14, 20), 0),
        (june(8, 12), june(8, 10), 0),
    ],
)
def test_elapsed_business_time(start: datetime, end: datetime, hours: float) -> None:
    assert WORK.elapsed(start, end) == hours * HOUR


@pytest.mark.parametrize(
    ("at", "before"),
    [
        (june(9, 12), june(8, 12)),
        (june(15, 12), june(12, 12)),
        (june(9, 3), june(8, 9)),
        (june(9, 23), june(8, 17 + 59 / 60)),
    ],
)
def test_the_business_day_before(at: datetime, before: datetime) -> None:
    assert WORK.business_day_before(at) == before


def test_elapsed_time_follows_the_clocks_over_a_change() -> None:
    # On 29 March 2026 the clocks of London go forward at 01:00: where people work all day an hour is missing.
    london = BusinessCalendar(ZoneInfo("Europe/London"), frozenset(range(7)), timedelta(0), timedelta(days=1))
    start = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/London"))
    end = datetime(2026, 3, 29, 12, tzinfo=ZoneInfo("Europe/London"))
    assert london.elapsed(start, end) == timedelta(hours=23)
