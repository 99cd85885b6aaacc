"""The life of a task: which change is allowed in which state, and what it leaves behind.

Every function takes a task and answers the next one with its history entry, or None where nothing changes. A
change that the state does not allow raises `NotAllowed`.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from services.alerting.domain import escalation
from services.alerting.domain.tasks import (
    BY_PEOPLE,
    REWORDED,
    SYSTEM,
    Closing,
    Contact,
    EndedReason,
    HistoryEntry,
    OwnerSource,
    Promise,
    Task,
    TaskChange,
    TaskState,
    TaskStep,
)

_NOT_IN_HISTORY = {"version", "updated_at", "policy", "closing", "promise", "escalations", "paused_since"}
_NOT_IN_HISTORY |= {"ack_expires_at", "next_answer", "touched_at", "over", "closed_by", "linked_to"}
_IN_HISTORY = tuple(field.name for field in fields(Task) if field.name not in _NOT_IN_HISTORY)


class Refusal(Enum):
    """Why a change is refused; the value is the stable code."""

    CLOSED = "follow_up_closed"
    NOT_CLOSED = "follow_up_not_closed"
    IN_PROGRESS = "follow_up_in_progress"
    STALE = "stale_version"
    ALREADY_OPEN = "follow_up_already_open"
    REASON_HOLDS = "reason_holds"


class NotAllowed(Exception):
    """The state of the task does not allow the change."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


def require_version(task: Task, version: int | None) -> None:
    """Optimistic locking: a caller who names a version must name the current one."""
    if version is not None and version != task.version:
        raise NotAllowed(Refusal.STALE)


def acknowledge(task: Task, change: TaskChange) -> TaskStep | None:
    """Somebody has seen it and takes it on; the clock of the first response stops. Again is no change."""
    _require_not_closed(task)
    if task.state == "acknowledged":
        return None
    if task.state == "in_progress":
        raise NotAllowed(Refusal.IN_PROGRESS)
    first = task.acknowledged_at or change.at
    expires = escalation.ack_expires_at(task, change.at, first)
    values = _resumed(task, change.at) | {"acknowledged_at": first, "ack_expires_at": expires, "snoozed_until": None}
    return _step(task, "acknowledged", change, state="acknowledged", **values | _touched(task, change))


def unacknowledge(task: Task, change: TaskChange) -> TaskStep | None:
    """Take a follow-up back from somebody who acknowledged it and did nothing since: it is open again, once, and its
    levels that have not fired are planned anew.
    """
    expires_at, acknowledged_at = task.ack_expires_at, task.acknowledged_at
    if task.state != "acknowledged" or task.unacknowledged_at is not None:
        return None
    if expires_at is None or acknowledged_at is None:
        return None
    if not expires_at <= change.at <= acknowledged_at + escalation.LONGEST_ACK:
        return None
    touched_at = None
    if task.promise or task.owner_source == "assigned":
        touched_at = task.touched_at
    return _step(
        task,
        "unacknowledged",
        change,
        state="open",
        ack_expires_at=None,
        unacknowledged_at=change.at,
        touched_at=touched_at,
        escalations=escalation.rescheduled(task, max(task.due_at, change.at)),
    )


def escalate(task: Task, change: TaskChange, level: int) -> TaskStep:
    """Note that a level has fired."""
    return _step(task, "escalated", change, escalations=escalation.fired(task, level, change.at))


def start(task: Task, change: TaskChange) -> TaskStep | None:
    """The customer is being spoken to. Who starts has acknowledged. Again is no change."""
    _require_not_closed(task)
    if task.state == "in_progress":
        return None
    return _step(
        task,
        "started",
        change,
        state="in_progress",
        **_resumed(task, change.at)
        | {
            "acknowledged_at": task.acknowledged_at or change.at,
            "started_at": task.started_at or change.at,
            "snoozed_until": None,
            "ack_expires_at": None,
        }
        | _touched(task, change),
    )


def snooze(task: Task, change: TaskChange, until: datetime) -> TaskStep:
    """Put it away until a time; its clocks stand still meanwhile."""
    _require_not_closed(task)
    since = task.paused_since or change.at
    return _step(task, "snoozed", change, state="snoozed", snoozed_until=until, paused_since=since)


def wake(task: Task, change: TaskChange) -> TaskStep | None:
    """The snooze is over: back to where the work stood."""
    if task.state != "snoozed":
        return None
    state: TaskState = "open"
    if task.started_at:
        state = "in_progress"
    elif task.acknowledged_at:
        state = "acknowledged"
    # However late we came to look, the pause is the one that was asked for.
    until = min(change.at, task.snoozed_until or change.at)
    return _step(task, "woken", change, state=state, snoozed_until=None, **_resumed(task, until))


def assign(task: Task, change: TaskChange, owner: Contact) -> TaskStep | None:
    """Hand it to somebody. Whoever is assigned by hand stays, whatever the directory says later."""
    _require_not_closed(task)
    if owner == task.owner and task.owner_source == "assigned":
        return None
    return _step(task, "assigned", change, owner=owner, owner_source="assigned", **_worked_on(task, change))


def follow_directory(task: Task, change: TaskChange, owner: Contact, source: OwnerSource) -> TaskStep | None:
    """The account has another owner now; a task that nobody was assigned to by hand goes along."""
    if task.is_closed or task.owner_source == "assigned" or owner == task.owner:
        return None
    return _step(task, "assigned", change, owner=owner, owner_source=source)


def promise(task: Task, change: TaskChange, made: Promise) -> TaskStep:
    """Write down what was promised and by when."""
    _require_not_closed(task)
    levels = escalation.with_promise(task, made, change.at)
    step = _step(task, "promised", change, promise=made, escalations=levels, **_worked_on(task, change))
    shown = [made.what, made.by.isoformat()]
    return replace(step, entry=replace(step.entry, changes={"promise": [None, shown]}))


def comment(task: Task, change: TaskChange) -> TaskStep:
    """Say something about it; in any state."""
    return _step(task, "commented", change, **_worked_on(task, change))


def close(task: Task, change: TaskChange, closing: Closing) -> TaskStep:
    """A person closes the loop, with what it was and what was done. What only facts bring about is an outcome while the
    reason is over.
    """
    _require_not_closed(task)
    if closing.outcome not in BY_PEOPLE and task.over is None:
        raise NotAllowed(Refusal.REASON_HOLDS)
    # Closing by hand touches the follow-up.
    first = task.acknowledged_at or change.at
    return _closed(task, change, closing, acknowledged_at=first, closed_by="person", **_touched(task, change))


def close_by_facts(task: Task, change: TaskChange, over: EndedReason, linked_to: UUID | None = None) -> TaskStep:
    """Its reason is over and nobody has touched it: it closes by itself."""
    linked = linked_to or task.linked_to
    return _closed(task, change, Closing(over.outcome), closed_by="facts", over=over, linked_to=linked)


def move_to_person(task: Task, change: TaskChange, stakeholder_id: str, others: Sequence[Task]) -> TaskStep:
    """It is about the person whose further id it stood under, and takes over how far others about that person, opened
    later, had come: their state, and a promise where it has none."""
    values: dict[str, Any] = {"stakeholder_id": stakeholder_id}
    furthest = task
    for other in others:
        if _WORKED_ON.index(other.state) > _WORKED_ON.index(furthest.state):
            furthest = other
        if task.promise is None and "promise" not in values and other.promise is not None:
            values["promise"] = other.promise
    for name in (
        "state",
        "acknowledged_at",
        "started_at",
        "snoozed_until",
        "ack_expires_at",
        "touched_at",
        "paused_since",
    ):
        if furthest is not task:
            values[name] = getattr(furthest, name)
    return _step(task, "moved", change, **values)


_WORKED_ON: tuple[TaskState, ...] = ("snoozed", "open", "acknowledged", "in_progress")
"""States in the order of how far the work has come."""


def reopen(task: Task, change: TaskChange) -> TaskStep:
    """Open a closed follow-up again, by hand."""
    if not task.is_closed:
        raise NotAllowed(Refusal.NOT_CLOSED)
    levels = escalation.after_reopening(task, change.at)
    values = {"closed_at": None, "closing": None, "closed_by": None, "over": None} | _touched(task, change)
    return _step(task, "reopened", change, state="open", escalations=levels, **values)


def reopen_by_facts(task: Task, change: TaskChange) -> TaskStep:
    """Its reason holds again: the time for which it was shut is a pause, and levels that fired stay fired."""
    paused = escalation.after_pause(replace(task, paused_since=task.closed_at), change.at)
    values = paused | {"closed_at": None, "closing": None, "closed_by": None, "over": None, "linked_to": None}
    return _step(task, "reopened", change, state="open", **values)


def lose_reason(task: Task, change: TaskChange, over: EndedReason) -> TaskStep | None:
    """Its reason is over and somebody has touched it: it stays and says so, and its clocks stand still. None where that
    is known.
    """
    if task.over is not None and task.over.outcome == over.outcome:
        return None
    if task.over is not None:
        over = replace(over, since=task.over.since)
    step = _step(task, "reason_over", change, over=over, paused_since=task.paused_since or change.at)
    return replace(step, entry=replace(step.entry, changes={"reason_holds": [task.over is None, False]}))


def regain_reason(task: Task, change: TaskChange) -> TaskStep | None:
    """Its reason holds again: the clocks go on, unless it is snoozed besides."""
    if task.over is None:
        return None
    resumed = {}
    if task.state != "snoozed":
        resumed = escalation.after_pause(task, change.at)
    step = _step(task, "reason_holds", change, over=None, **resumed)
    return replace(step, entry=replace(step.entry, changes={"reason_holds": [False, True]}))


def amend(task: Task, action: str, change: TaskChange, **values: Any) -> TaskStep | None:
    """Bring a task in line with the facts; None where it is so already. The version grows with what people and CRMs act
    on: severity, due time, score and answer. Other wording alone leaves the version as it is.
    """
    if all(getattr(task, name) == value for name, value in values.items()):
        return None
    if any(getattr(task, name) != values.get(name, getattr(task, name)) for name in _ACTED_ON):
        return _step(task, action, change, **values)
    changed = replace(task, **values)
    entry = HistoryEntry(REWORDED, change.actor, change.at, task.version, change.comment, differences(task, changed))
    return TaskStep(changed, entry)


_ACTED_ON = ("severity", "due_at", "score", "response_id")


def _closed(task: Task, change: TaskChange, closing: Closing, **values: Any) -> TaskStep:
    resumed = escalation.after_pause(task, change.at) | {"ack_expires_at": None, "snoozed_until": None}
    step = _step(
        task, "closed", change, **resumed | {"state": "closed", "closed_at": change.at, "closing": closing} | values
    )
    changes = dict(step.entry.changes)
    for name in ("outcome", "root_cause", "what_was_done", "told_customer", "result"):
        value = getattr(closing, name)
        if value is not None:
            changes[name] = [None, value]
    return replace(step, entry=replace(step.entry, changes=changes))


def _touched(task: Task, change: TaskChange) -> dict[str, Any]:
    """The first touch by a person, after which the follow-up no longer closes by itself."""
    if not change.touches or change.actor == SYSTEM:
        return {}
    return {"touched_at": task.touched_at or change.at}


def _worked_on(task: Task, change: TaskChange) -> dict[str, Any]:
    return _touched(task, change) | _extended_acknowledgement(task, change)


def _resumed(task: Task, at: datetime) -> dict[str, Any]:
    """What changes when a snooze ends, by itself or by hand; without a reason the clocks go on standing still."""
    if task.over is not None:
        return {}
    return escalation.after_pause(task, at)


def _extended_acknowledgement(task: Task, change: TaskChange) -> dict[str, Any]:
    """Somebody works on what was taken on: it is not taken away from them."""
    if task.state != "acknowledged" or task.acknowledged_at is None or change.actor == SYSTEM:
        return {}
    return {"ack_expires_at": escalation.ack_expires_at(task, change.at, task.acknowledged_at)}


def _require_not_closed(task: Task) -> None:
    if task.is_closed:
        raise NotAllowed(Refusal.CLOSED)


def _step(task: Task, action: str, change: TaskChange, **values: Any) -> TaskStep:
    changed = replace(task, version=task.version + 1, updated_at=change.at, **values)
    return TaskStep(
        changed,
        HistoryEntry(action, change.actor, change.at, changed.version, change.comment, differences(task, changed)),
    )


def differences(old: Task, new: Task) -> dict[str, list[Any]]:
    """The fields that changed, as JSON values: {"state": ["open", "acknowledged"]}."""
    changes = {}
    for name in _IN_HISTORY:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            changes[name] = [_json_value(before), _json_value(after)]
    return changes


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Contact):
        return value.email or value.name
    if isinstance(value, tuple):
        return [_json_value(item) for item in value]
    return value
