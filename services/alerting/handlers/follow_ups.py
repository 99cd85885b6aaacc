"""What people and CRMs do with follow-ups: each request is one transaction under the account's lock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.alerting.domain import escalation, lifecycle, playbooks
from services.alerting.domain.default_rules import ESCALATION
from services.alerting.domain.lifecycle import NotAllowed, Refusal
from services.alerting.domain.people import assignment_for, title_of
from services.alerting.domain.policy import business_snapshot
from services.alerting.domain.rules import escalation_document
from services.alerting.domain.severity import Severity, worse
from services.alerting.domain.tasks import SYSTEM, Contact, HistoryEntry, Task, TaskChange, TaskStep
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.context import Context
from services.alerting.handlers.resources import Resources
from services.alerting.store import tasks as store
from services.alerting.store.accounts import is_owned_by
from shared.access.caller import Caller
from shared.calendar import Due
from shared.db.directory import own_ids
from shared.db.transaction import WriteTx
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import derived_uuid, uuid7

Action = Callable[[Task, TaskChange], TaskStep | None]
WAKE_AT_ONCE = 200
MANUAL = "manual"
MANUAL_LABEL = "Follow-up"
DUE_BY_HAND = {
    "critical": Due(4, "business_hours"),
    "high": Due(1, "business_days"),
    "medium": Due(3, "business_days"),
    "low": Due(5, "business_days"),
}
"""When a task opened by hand is due if nobody says: as the shipped rules give by severity."""
_DETAILS = {
    Refusal.CLOSED: "the follow-up is closed; reopen it first",
    Refusal.NOT_CLOSED: "the follow-up is not closed",
    Refusal.IN_PROGRESS: "the work on it has begun already",
    Refusal.STALE: "somebody else changed it meanwhile; read it again",
    Refusal.ALREADY_OPEN: "another follow-up of this kind is open for the same person",
    Refusal.REASON_HOLDS: "is what facts bring about: people may close with it only once the reason is over",
}


@dataclass(frozen=True, slots=True)
class Command:
    """Who wants to change which task; `version` is the one they saw, if they say so. The history names `actor`, else
    the key. `touches`: it is a person who does it.
    """

    follow_up_id: UUID
    caller: Caller
    version: int | None = None
    comment: str | None = None
    actor: str | None = None
    touches: bool = True


@dataclass(frozen=True, slots=True)
class ManualFollowUp:
    """A follow-up that somebody opens by hand."""

    account_id: str
    stakeholder_id: str | None = None
    response_id: str | None = None
    kind: str = MANUAL
    title: str | None = None
    severity: Severity = "medium"
    due_at: datetime | None = None
    owner: Contact | None = None
    reason: str | None = None
    playbook: str | None = None
    idempotency_key: str | None = None


async def change_follow_up(tx: WriteTx, resources: Resources, command: Command, action: Action) -> Task:
    """Carry out a change; answers the task as it is then. Raises NotFound, Conflict with the refusal's code, or Invalid
    for an outcome that does not fit.
    """
    task = await _locked(tx, command.follow_up_id, command.caller.owner_email)
    change = TaskChange(
        command.actor or actor_of(command.caller), resources.clock.now(), command.comment, command.touches
    )
    try:
        lifecycle.require_version(task, command.version)
        step = action(task, change)
        if step is None:
            return task
        if task.is_closed and not step.task.is_closed:
            await _require_none_open(tx, task)
    except NotAllowed as refused:
        raise _refused(refused.refusal) from None
    casework = await Casework.of(tx, resources, [task])
    casework.record(step)
    await casework.save(tx)
    return step.task


def _refused(refusal: Refusal) -> Conflict | Invalid:
    detail = _DETAILS[refusal]
    if refusal is Refusal.REASON_HOLDS:
        return Invalid(refusal.value, detail, errors=[{"field": "outcome", "code": refusal.value, "detail": detail}])
    return Conflict(refusal.value, detail)


async def find_follow_up(tx: WriteTx, follow_up_id: UUID, owner_email: str | None) -> Task:
    """The task under its account's lock. Raises NotFound, also for somebody else's account."""
    return await _locked(tx, follow_up_id, owner_email)


async def open_by_hand(tx: WriteTx, resources: Resources, wanted: ManualFollowUp, caller: Caller) -> tuple[Task, bool]:
    """Open a follow-up, or add an occurrence to the open one of this person and kind; also says whether it is new.

    The same idempotency key of the same API key gives the same follow-up. Raises NotFound for somebody else's account.
    """
    if caller.owner_email and not await is_owned_by(tx, wanted.account_id, caller.owner_email):
        raise NotFound("account_not_found", "there is no such account")
    await tx.lock_accounts([wanted.account_id])
    if wanted.stakeholder_id is not None:
        named = (wanted.account_id, wanted.stakeholder_id)
        wanted = replace(wanted, stakeholder_id=(await own_ids(tx, [named]))[named])
    follow_up_id = _id_by_hand(wanted, caller)
    known = await store.find_task(tx, follow_up_id, None)
    if known is not None:
        return known, False
    person = (wanted.account_id, wanted.stakeholder_id)
    answers = []
    if wanted.response_id:
        answers.append((wanted.account_id, wanted.response_id))
    context = await Context.read(tx, [person], answers)
    open_tasks = await store.open_tasks(tx, [person])
    change = TaskChange(actor_of(caller), resources.clock.now(), wanted.reason)
    existing = next((task for task in open_tasks if task.kind == wanted.kind), None)
    if existing is not None:
        step = _once_more(existing, wanted, change)
    else:
        step = _opened(follow_up_id, wanted, change, context, resources)
    casework = Casework(resources, context, open_tasks)
    casework.record(step)
    await casework.save(tx)
    return step.task, existing is None


async def to_wake(tx: WriteTx, resources: Resources, held: Sequence[UUID]) -> Sequence[UUID]:
    """Follow-ups that have been snoozed long enough."""
    return await store.snoozed_until_now(tx, resources.clock.now(), held, WAKE_AT_ONCE)


async def wake_snoozed(tx: WriteTx, resources: Resources, follow_up_ids: Sequence[UUID]) -> int:
    """Wake those of the follow-ups whose snooze is over; answers how many."""
    now = resources.clock.now()
    casework = await Casework.locked(tx, resources, await store.tasks_by_id(tx, follow_up_ids))
    woken = 0
    for task in casework.tasks():
        step = lifecycle.wake(task, TaskChange(SYSTEM, now, "the snooze is over"))
        if step is not None and task.snoozed_until is not None and task.snoozed_until <= now:
            casework.record(step)
            woken += 1
    await casework.save(tx)
    return woken


def actor_of(caller: Caller) -> str:
    """Whom the history names."""
    return f"key:{caller.key_id}"


async def _locked(tx: WriteTx, follow_up_id: UUID, owner_email: str | None) -> Task:
    """The task, read again under its account's lock."""
    seen = await store.find_task(tx, follow_up_id, owner_email)
    if seen is not None:
        await tx.lock_accounts([seen.account_id])
        seen = await store.find_task(tx, follow_up_id, owner_email)
    if seen is None:
        raise NotFound("follow_up_not_found", "there is no such follow-up")
    return seen


async def _require_none_open(tx: WriteTx, task: Task) -> None:
    open_tasks = await store.open_tasks(tx, [(task.account_id, task.stakeholder_id)])
    if any(open_task.kind == task.kind for open_task in open_tasks):
        raise NotAllowed(Refusal.ALREADY_OPEN)


def _id_by_hand(wanted: ManualFollowUp, caller: Caller) -> UUID:
    if wanted.idempotency_key is None:
        return uuid7()
    return derived_uuid("follow_up", "by_hand", caller.key_id, wanted.idempotency_key)


def _once_more(task: Task, wanted: ManualFollowUp, change: TaskChange) -> TaskStep:
    """One more occurrence of an open follow-up: severity may rise and never falls, the due time never moves later."""
    due = min(task.due_at, wanted.due_at or task.due_at)
    changed = replace(
        task,
        version=task.version + 1,
        severity=worse(task.severity, wanted.severity),
        due_at=due,
        escalations=escalation.levels_due_by(task, due),
        occurrences=task.occurrences + 1,
        reasons=tuple(dict.fromkeys(task.reasons + _reasons(wanted))),
        response_id=wanted.response_id or task.response_id,
        updated_at=change.at,
        touched_at=task.touched_at or change.at,
    )
    differences = lifecycle.differences(task, changed)
    return TaskStep(
        changed, HistoryEntry("repeated", change.actor, change.at, changed.version, change.comment, differences)
    )


def _reasons(wanted: ManualFollowUp) -> tuple[str, ...]:
    if wanted.reason:
        return (wanted.reason,)
    return ()


def _opened(
    follow_up_id: UUID, wanted: ManualFollowUp, change: TaskChange, context: Context, resources: Resources
) -> TaskStep:
    account = context.account(wanted.account_id)
    person = context.person(wanted.account_id, wanted.stakeholder_id)
    answer = context.answer(wanted.account_id, wanted.response_id)
    assignment = assignment_for("owner", account, resources.policy.staff)
    owner, source, reasons = assignment.owner, assignment.source, _reasons(wanted) + assignment.reasons
    if wanted.owner is not None:
        owner, source, reasons = wanted.owner, "assigned", _reasons(wanted)
    due = wanted.due_at or resources.policy.calendar.add(change.at, DUE_BY_HAND[wanted.severity])
    steps = ESCALATION[wanted.severity]
    task = Task(
        follow_up_id=follow_up_id,
        version=1,
        kind=wanted.kind,
        title=wanted.title or title_of(MANUAL_LABEL, {}, account, person),
        severity=wanted.severity,
        state="open",
        account_id=wanted.account_id,
        stakeholder_id=wanted.stakeholder_id,
        response_id=wanted.response_id,
        owner=owner,
        owner_source=source,
        recipient="owner",
        informed=(),
        due_at=due,
        occurrences=1,
        reasons=reasons,
        inhibited=(),
        playbook=wanted.playbook or playbooks.MANUAL,
        opened_at=change.at,
        opened_by=change.actor,
        updated_at=change.at,
        policy=business_snapshot(resources.policy) | {"escalation": escalation_document(steps)},
        escalations=escalation.planned(due, steps, resources.policy.calendar),
    )
    if answer is not None:
        task = replace(
            task,
            score=answer.score,
            touchpoint=answer.touchpoint,
            product=answer.product,
            survey_type=answer.survey_type,
            nps_kind=answer.nps_kind,
        )
    return TaskStep(task, HistoryEntry("opened", change.actor, change.at, 1, change.comment))
