"""Levels that are due fire, each once; what was taken on and left is open again.

The follow-up is read again under its account's lock, so whoever takes it on a moment before is never overtaken.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.alerting.domain import escalation, lifecycle
from services.alerting.domain.people import Account, Staff
from services.alerting.domain.tasks import SYSTEM, Contact, Escalation, Recipient, Task, TaskChange
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.resources import Resources
from services.alerting.store.escalations import (
    add_escalation,
    count_late,
    tasks_to_escalate,
    tasks_to_unacknowledge,
)
from services.alerting.store.tasks import tasks_by_id
from shared.db.transaction import ReadTx, WriteTx
from shared.telemetry import metrics

AT_ONCE = 500
GRACE = timedelta(minutes=1)
"""How late, in business time, a level may be before it counts as missed."""
_COMMENTS = {
    "overdue": "nobody has taken it on",
    "promise_near": "what was promised is due",
    "promise_past": "what was promised is past its date",
}


async def to_escalate(tx: WriteTx, resources: Resources, held: Sequence[UUID]) -> Sequence[UUID]:
    """Follow-ups of which a level's time has come."""
    return await tasks_to_escalate(tx, resources.clock.now(), held, AT_ONCE)


async def escalate_due(tx: WriteTx, resources: Resources, follow_up_ids: Sequence[UUID]) -> int:
    """Fire every level of the follow-ups that is due; answers how many."""
    now = resources.clock.now()
    due = [task for task in await tasks_by_id(tx, follow_up_ids) if escalation.due_at(task, now)]
    casework = await Casework.locked(tx, resources, due)
    fired = 0
    for task in casework.tasks():
        for level in escalation.due_at(task, now):
            await _fire(tx, casework, casework.task(task.follow_up_id), level, resources)
            fired += 1
    await casework.save(tx)
    return fired


async def to_unacknowledge(tx: WriteTx, resources: Resources, held: Sequence[UUID]) -> Sequence[UUID]:
    """Follow-ups that were taken on and then left."""
    return await tasks_to_unacknowledge(tx, resources.clock.now(), held, AT_ONCE)


async def unacknowledge_due(tx: WriteTx, resources: Resources, follow_up_ids: Sequence[UUID]) -> int:
    """Open again those of the follow-ups that were taken on and left; answers how many."""
    now = resources.clock.now()
    casework = await Casework.locked(tx, resources, await tasks_by_id(tx, follow_up_ids))
    opened = 0
    for task in casework.tasks():
        change = TaskChange(SYSTEM, now, "taken on, and nothing has happened since")
        step = lifecycle.unacknowledge(task, change)
        if step is not None:
            casework.announce("escalations", casework.record(step), (step.task.owner,), "overdue")
            opened += 1
    await casework.save(tx)
    return opened


async def audit(tx: ReadTx, resources: Resources) -> int:
    """Count the levels that should have fired and have not, into the metric; answers 0, since it changes nothing."""
    now = resources.clock.now()
    late = await count_late(tx, now - GRACE, lambda task: _is_late(task, now))
    metrics.tasks_overdue_without_escalation.set(late)
    return 0


def escalated_to(task: Task, recipient: Recipient, account: Account, staff: Staff) -> Contact:
    """Who is notified of a level: the owner of the task, the account's sponsor or the leader; the next in this order,
    down to the owner, where somebody is not known.
    """
    order: dict[Recipient, Sequence[Contact]] = {
        "leader": (staff.leader, account.sponsor, task.owner),
        "sponsor": (account.sponsor, staff.leader, task.owner),
        "owner": (task.owner,),
    }
    return next((contact for contact in order[recipient] if contact.known), task.owner)


async def _fire(tx: WriteTx, casework: Casework, task: Task, level: Escalation, resources: Resources) -> None:
    now = resources.clock.now()
    account = casework.context.account(task.account_id)
    contact = escalated_to(task, level.to, account, resources.policy.staff)
    comment = f"{_COMMENTS[level.cause]}: level {level.level}, to {contact.name or contact.email or level.to}"
    step = lifecycle.escalate(task, TaskChange(SYSTEM, now, comment), level.level)
    change = {
        "kind": "escalated",
        "level": level.level,
        "cause": level.cause,
        "to": level.to,
        "contact": {"name": contact.name, "email": contact.email},
        "due_at": level.due_at.isoformat().replace("+00:00", "Z"),
    }
    await add_escalation(tx, task, level, now)
    casework.announce("escalations", casework.record(step, change=change), (contact,), level.cause)
    tx.after_commit(metrics.follow_ups_escalated_total.labels(level.cause).inc)


def _is_late(task: Task, now: datetime) -> bool:
    """Whether a level has been due for the grace of business time, the hours in which it may fire."""
    calendar = escalation.calendar_of(task.policy)
    return any(calendar.elapsed(level.due_at, now) > GRACE for level in escalation.due_at(task, now))
