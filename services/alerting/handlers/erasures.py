"""stakeholder.erased: what a person wrote and who they were goes; that there was a follow-up stays, under a hash."""

from collections.abc import Sequence
from dataclasses import replace

from services.alerting.courier.interface import forget_person
from services.alerting.domain.lifecycle import close_by_facts
from services.alerting.domain.people import PersonKey
from services.alerting.domain.tasks import SYSTEM, Closing, EndedReason, Task, TaskChange
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.evaluation import EvaluationRequest, evaluate
from services.alerting.handlers.resources import Resources
from services.alerting.store import answers as store
from services.alerting.store.accounts import forget_stakeholder, stakeholders_by_id
from services.alerting.store.dry_run_triggers import forget_triggers_of_person
from services.alerting.store.facts import forget_invitations
from services.alerting.store.occasions import forget_occasions
from services.alerting.store.redaction import redact
from services.alerting.store.tasks import forget_texts, save_tasks, tasks_of_person
from shared.db.erasures import Journal, erase_each
from shared.db.transaction import ReadTx, WriteTx
from shared.erasure import Names
from shared.events.responses import StakeholderErased
from shared.verdicts import BatchHandler, Received, Verdict

ERASED = "erased"
GONE = "the person was erased"


def erase_stakeholders(resources: Resources) -> BatchHandler:
    """The handler of stakeholder.erased."""

    async def erase(tx: WriteTx, data: StakeholderErased) -> None:
        await _erase(tx, resources, data)

    erase_all = erase_each(erase)

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        verdicts = await erase_all(tx, records)
        # Follow-ups about the account, and those that had been taken in, are evaluated without the person.
        await evaluate(tx, resources, EvaluationRequest(others={(record.event.account_id, None) for record in records}))
        return verdicts

    return handle


async def _erase(tx: WriteTx, resources: Resources, data: StakeholderErased) -> None:
    people = [(data.account_id, erased.stakeholder_id) for erased in data.every_id()]
    counts = {"responses": 0, "follow_ups": 0, "messages": 0}
    names = await _names(tx, data.account_id, people)
    for person in people:
        await _erase_id(tx, resources, data, person, names, counts)
    await redact(tx, data.account_id, names)
    await Journal.applied(tx, data, resources.clock.now(), **counts)


async def _names(tx: ReadTx, account_id: str, people: Sequence[PersonKey]) -> Names:
    found = await stakeholders_by_id(tx, people)
    names: list[str | None] = []
    for person in people:
        names += [person[1], found[person].name, found[person].email]
    return Names(names, account_id)


async def _erase_id(
    tx: WriteTx,
    resources: Resources,
    data: StakeholderErased,
    person: PersonKey,
    names: Names,
    counts: dict[str, int],
) -> None:
    """Take out what stands under one of the person's ids, and count it."""
    everything = await tasks_of_person(tx, *person)
    left = await store.answers_left(tx, *person, until=data.erased_at)
    # An answer that was read late opened its task after the erasure; what rests on an answer given since stays.
    tasks = [task for task in everything if not _is_of_later(task, left, data)]
    counts["follow_ups"] += len(tasks)
    counts["messages"] += await forget_person(tx, *person, data.subject, names)
    await forget_triggers_of_person(tx, *person, until=data.erased_at)
    await forget_occasions(tx, *person, [task.follow_up_id for task in tasks])
    await forget_invitations(tx, *person, until=data.erased_at)
    counts["responses"] += await store.forget_answers(tx, *person, until=data.erased_at)
    await forget_stakeholder(tx, *person, until=data.erased_at)
    still_open, closed = [], []
    for task in tasks:
        erased = forgotten(task, data.subject)
        if erased.is_closed:
            closed.append(erased)
        else:
            still_open.append(erased)
    await save_tasks(tx, closed)
    await forget_texts(tx, [task.follow_up_id for task in everything])
    await _close(tx, resources, data, still_open)


def _is_of_later(task: Task, left: frozenset[str], data: StakeholderErased) -> bool:
    """Whether a task is about what the person has done since, or was opened by hand since."""
    if task.response_id is not None or not task.is_by_hand:
        return task.response_id in left
    return task.opened_at > data.erased_at


async def _close(tx: WriteTx, resources: Resources, data: StakeholderErased, tasks: Sequence[Task]) -> None:
    """Nobody is left to follow up with. The tasks lose the person as they close, not before: an open one of the subject
    may be there, which somebody opened again after an earlier erasure."""
    casework = await Casework.of(tx, resources, tasks)
    for task in tasks:
        change = TaskChange(SYSTEM, data.erased_at, GONE)
        casework.record(close_by_facts(task, change, EndedReason(data.erased_at, GONE, "corrected")))
    await casework.save(tx)


def forgotten(task: Task, subject: str) -> Task:
    """A task without the person: a hash for the id, no texts, no score."""
    closing = task.closing and Closing(task.closing.outcome)
    return replace(
        task,
        stakeholder_id=subject,
        response_id=None,
        title=ERASED,
        reasons=(),
        score=None,
        promise=None,
        next_answer=None,
        closing=closing,
        over=task.over and replace(task.over, because=ERASED),
    )
