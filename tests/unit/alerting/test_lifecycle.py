"""The life of a task: which changes are allowed when, and what the history says."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.domain import lifecycle
from services.alerting.domain.lifecycle import NotAllowed, Refusal
from services.alerting.domain.tasks import Closing, Contact, Promise, Task, TaskChange, TaskStep
from tests.unit.alerting.builders import OWNER, opened

NOW = datetime(2026, 6, 8, 11, 0, tzinfo=UTC)
ME = TaskChange("key:abc", NOW, "on it")
LATER = NOW + timedelta(days=2)
EVE = Contact("Eve", "eve@supplier.example")
DONE = Closing("resolved", "late delivery", "new carrier", True)

CHANGES: dict[str, Callable[[Task], TaskStep | None]] = {
    "acknowledge": lambda task: lifecycle.acknowledge(task, ME),
    "start": lambda task: lifecycle.start(task, ME),
    "snooze": lambda task: lifecycle.snooze(task, ME, LATER),
    "assign": lambda task: lifecycle.assign(task, ME, EVE),
    "promise": lambda task: lifecycle.promise(task, ME, Promise("a new invoice", LATER)),
    "close": lambda task: lifecycle.close(task, ME, DONE),
    "comment": lambda task: lifecycle.comment(task, ME),
}


def applied(name: str, task: Task | None = None) -> Task:
    step = CHANGES[name](task or opened())
    assert step is not None
    return step.task


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("acknowledge", "acknowledged"),
        ("start", "in_progress"),
        ("snooze", "snoozed"),
        ("assign", "open"),
        ("promise", "open"),
        ("close", "closed"),
        ("comment", "open"),
    ],
)
def test_every_change_of_an_open_task_leads_on_and_is_written_down(name: str, state: str) -> None:
    step = CHANGES[name](opened())
    assert step is not None
    assert step.task.state == state
    assert step.task.version == 2
    assert (step.entry.actor, step.entry.at, step.entry.comment, step.entry.version) == ("key:abc", NOW, "on it", 2)


def test_the_history_tells_old_and_new() -> None:
    step = lifecycle.assign(opened(), ME, EVE)
    assert step is not None
    assert step.entry.changes == {
        "owner": [OWNER.email, EVE.email],
        "owner_source": ["directory", "assigned"],
    }


@pytest.mark.parametrize("name", ["acknowledge", "start", "assign"])
def test_the_same_again_changes_nothing(name: str) -> None:
    assert CHANGES[name](applied(name)) is None


@pytest.mark.parametrize("name", ["acknowledge", "start", "snooze", "assign", "promise", "close"])
def test_a_closed_task_takes_nothing_but_comments_and_reopening(name: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        CHANGES[name](applied("close"))
    assert refused.value.refusal is Refusal.CLOSED
    assert CHANGES["comment"](applied("close")) is not None


def test_work_that_has_begun_is_not_acknowledged_again() -> None:
    with pytest.raises(NotAllowed) as refused:
        lifecycle.acknowledge(applied("start"), ME)
    assert refused.value.refusal is Refusal.IN_PROGRESS


def test_the_first_touch_stands_whatever_comes_after() -> None:
    acknowledged = applied("acknowledge")
    later = TaskChange("key:abc", NOW + timedelta(hours=3))
    started = lifecycle.start(acknowledged, later)
    assert started is not None
    assert (started.task.acknowledged_at, started.task.started_at) == (NOW, later.at)
    woken = lifecycle.wake(lifecycle.snooze(started.task, ME, LATER).task, ME)
    assert woken is not None
    assert woken.task.state == "in_progress"
    assert woken.task.snoozed_until is None


@pytest.mark.parametrize(("before", "after"), [("", "open"), ("acknowledge", "acknowledged"), ("start", "in_progress")])
def test_a_snoozed_task_wakes_where_the_work_stood(before: str, after: str) -> None:
    task = applied(before) if before else opened()
    woken = lifecycle.wake(applied("snooze", task), ME)
    assert woken is not None
    assert woken.task.state == after
    assert lifecycle.wake(woken.task, ME) is None


def test_closing_keeps_what_it_was_and_what_was_done() -> None:
    step = lifecycle.close(opened(), ME, DONE)
    assert (step.task.outcome, step.task.closed_at, step.task.closing) == ("resolved", NOW, DONE)
    assert step.entry.changes["root_cause"] == [None, "late delivery"]
    assert step.entry.changes["told_customer"] == [None, True]


def test_reopening_goes_to_open_and_only_from_closed() -> None:
    reopened = lifecycle.reopen(applied("close"), ME).task
    assert (reopened.state, reopened.closed_at, reopened.outcome) == ("open", None, None)
    with pytest.raises(NotAllowed) as refused:
        lifecycle.reopen(reopened, ME)
    assert refused.value.refusal is Refusal.NOT_CLOSED


def test_a_stale_version_is_refused_and_none_is_taken() -> None:
    task = opened(version=4)
    lifecycle.require_version(task, 4)
    lifecycle.require_version(task, None)
    with pytest.raises(NotAllowed) as refused:
        lifecycle.require_version(task, 3)
    assert refused.value.refusal is Refusal.STALE


def test_a_new_owner_of_the_account_takes_the_tasks_that_nobody_was_given_by_hand() -> None:
    followed = lifecycle.follow_directory(opened(), ME, EVE, "directory")
    assert followed is not None
    assert followed.task.owner == EVE
    assert lifecycle.follow_directory(followed.task, ME, EVE, "directory") is None
    assert lifecycle.follow_directory(applied("assign"), ME, OWNER, "directory") is None
    assert lifecycle.follow_directory(applied("close"), ME, EVE, "directory") is None


def test_the_history_tells_any_change_in_values_of_json() -> None:
    before = opened()
    after = replace(
        before, owner=EVE, informed=(OWNER, EVE), due_at=LATER, reasons=("late",), snoozed_until=LATER, score=2
    )
    changes = json.loads(json.dumps(lifecycle.differences(before, after)))
    assert changes["informed"][1] == [OWNER.email, EVE.email]
    assert changes["owner"] == [OWNER.email, EVE.email]
    assert changes["reasons"][1] == ["late"]
    assert changes["due_at"][1] == LATER.isoformat()
