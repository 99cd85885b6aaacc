"""Escalation: who is notified of follow-ups that nobody takes on, and of promises that are due. Each level fires once.

The times are written down as instants when the follow-up is opened, so neither a restart nor another policy moves them;
they lie in business hours, so nobody is called at night.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.alerting.domain.rules import EscalationStep, escalation_from
from services.alerting.domain.tasks import Escalation, Promise, Task
from shared.calendar import BusinessCalendar, Due

ACK_TIMEOUT = Due(18, "business_hours")
LONGEST_ACK = timedelta(days=7)
"""A follow-up acknowledged longer ago is not taken back, even where the service was away meanwhile."""
REOPENED_DUE = Due(1, "business_days")
"""The time for a first touch of a follow-up that is reopened after its due time."""


def planned(
    due_at: datetime, steps: Sequence[EscalationStep], calendar: BusinessCalendar, after: int = 0
) -> tuple[Escalation, ...]:
    """The levels behind a due time, numbered from `after` + 1."""
    return tuple(
        Escalation(level, "overdue", step.to, calendar.next_open(calendar.add(due_at, step.after)))
        for level, step in enumerate(steps, start=after + 1)
    )


def steps_of(policy: Mapping[str, Any]) -> tuple[EscalationStep, ...]:
    """The steps that a policy snapshot holds."""
    return escalation_from((policy.get("rule") or {}).get("escalation") or policy.get("escalation") or [])


def calendar_of(policy: Mapping[str, Any]) -> BusinessCalendar:
    """The business time of a policy snapshot."""
    time: Mapping[str, Any] | None = policy.get("business_time")
    if time is None:
        return BusinessCalendar(ZoneInfo("UTC"))
    return BusinessCalendar(
        ZoneInfo(time["time_zone"]),
        frozenset(time["weekdays"]),
        timedelta(minutes=time["opens_minute"]),
        timedelta(minutes=time["closes_minute"]),
        frozenset(date.fromisoformat(day) for day in time["holidays"]),
    )


def waiting(task: Task) -> tuple[Escalation, ...]:
    """The levels that may still fire as things stand: of the first touch while nobody has taken it on and its reason
    holds, of promises until the end.
    """
    missed = task.state == "open" and task.reason_holds
    return tuple(
        level
        for level in task.escalations
        if level.fired_at is None and not task.is_closed and (level.cause != "overdue" or missed)
    )


def next_at(task: Task) -> datetime | None:
    """When the next level fires; None while none does."""
    return min((level.due_at for level in waiting(task)), default=None)


def due_at(task: Task, now: datetime) -> tuple[Escalation, ...]:
    """The levels to fire now, in their order; none outside business hours."""
    due = tuple(level for level in waiting(task) if level.due_at <= now)
    if due and calendar_of(task.policy).is_open(now):
        return due
    return ()


def fired(task: Task, level: int, at: datetime) -> tuple[Escalation, ...]:
    """The levels after one of them has fired."""
    levels = []
    for escalation in task.escalations:
        if escalation.level == level:
            levels.append(replace(escalation, fired_at=at))
        else:
            levels.append(escalation)
    return tuple(levels)


def rescheduled(task: Task, due: datetime) -> tuple[Escalation, ...]:
    """The levels of a task that is due at another time: those that have not fired move along."""
    planned_anew = {level.level: level for level in planned(due, steps_of(task.policy), calendar_of(task.policy))}
    levels = []
    for level in task.escalations:
        if _follows_due_time(level):
            levels.append(planned_anew.get(level.level, level))
        else:
            levels.append(level)
    return tuple(levels)


def levels_due_by(task: Task, due: datetime) -> tuple[Escalation, ...]:
    """The levels of a task that is due by `due`: as they are where that is its due time already, else moved."""
    if due == task.due_at or not task.escalations:
        return task.escalations
    return rescheduled(task, due)


def after_reopening(task: Task, at: datetime) -> tuple[Escalation, ...]:
    """The levels of a task that is reopened: those that fired stay, and all are planned again under new numbers."""
    kept = tuple(level for level in task.escalations if level.fired_at is not None)
    calendar = calendar_of(task.policy)
    base = max(task.due_at, calendar.add(at, REOPENED_DUE))
    return kept + planned(base, steps_of(task.policy), calendar, _last(task))


def with_promise(task: Task, made: Promise, at: datetime) -> tuple[Escalation, ...]:
    """The levels with those of a new promise in the place of the earlier one's: to the owner a business day before,
    to the sponsor when it is past.
    """
    calendar = calendar_of(task.policy)
    kept = tuple(level for level in task.escalations if level.cause == "overdue" or level.fired_at is not None)
    near = calendar.business_day_before(made.by)
    last = _last(task)
    added = [Escalation(last + 2, "promise_past", "sponsor", calendar.next_open(made.by))]
    if near > at:
        added.insert(0, Escalation(last + 1, "promise_near", "owner", near))
    return kept + tuple(added)


def after_pause(task: Task, until: datetime) -> dict[str, Any]:
    """What a pause that ends leaves behind: its business time is added to the sum and to every clock of the task."""
    if task.paused_since is None:
        return {}
    calendar = calendar_of(task.policy)
    # In whole seconds, as their sum is kept, so that a due time worked out anew is the same.
    pause = timedelta(seconds=round(calendar.elapsed(task.paused_since, until).total_seconds()))
    levels = []
    for level in task.escalations:
        if _follows_due_time(level):
            levels.append(replace(level, due_at=calendar.next_open(_later(level.due_at, pause, calendar))))
        else:
            levels.append(level)
    return {
        "paused_since": None,
        "paused_seconds": task.paused_seconds + int(pause.total_seconds()),
        "due_at": _later(task.due_at, pause, calendar),
        "ack_expires_at": task.ack_expires_at and _later(task.ack_expires_at, pause, calendar),
        "escalations": tuple(levels),
    }


def with_pauses(task: Task, due: datetime) -> datetime:
    """A due time as another policy gives it, and all the pauses that the task has had."""
    return _later(due, timedelta(seconds=task.paused_seconds), calendar_of(task.policy))


def ack_expires_at(task: Task, at: datetime, acknowledged_at: datetime) -> datetime | None:
    """When somebody who took it on and then did nothing loses it again: once, and never after seven days."""
    if task.unacknowledged_at is not None:
        return None
    timeout = ACK_TIMEOUT
    if task.policy.get("ack_timeout"):
        timeout = Due(**task.policy["ack_timeout"])
    expires = calendar_of(task.policy).add(at, timeout)
    if expires > acknowledged_at + LONGEST_ACK:
        return None
    return expires


def _follows_due_time(level: Escalation) -> bool:
    """Whether a level moves with the due time of its task: one of the first touch that has not fired."""
    return level.cause == "overdue" and level.fired_at is None


def _later(at: datetime, pause: timedelta, calendar: BusinessCalendar) -> datetime:
    if not pause:
        return at
    return calendar.add_time(at, pause)


def _last(task: Task) -> int:
    return max((level.level for level in task.escalations), default=0)
