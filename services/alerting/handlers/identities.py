"""Ids that have become one person's: their follow-ups move to the person, and of two of one kind one stays."""

from collections.abc import Collection, Sequence

from services.alerting.domain.lifecycle import close_by_facts, move_to_person
from services.alerting.domain.people import PersonKey
from services.alerting.domain.tasks import SYSTEM, EndedReason, Task, TaskChange
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.context import Context
from services.alerting.handlers.resources import Resources
from services.alerting.store.identities import move_the_past, open_tasks_by_any_id
from shared.db.directory import own_ids
from shared.db.transaction import WriteTx

ONE_PERSON = "the two people are one"


async def follow_people(tx: WriteTx, resources: Resources, people: Collection[PersonKey]) -> None:
    """Move the follow-ups that stand under further ids of these people. The caller holds the locks of the accounts."""
    if not people:
        return
    await move_the_past(tx, people)
    tasks = await open_tasks_by_any_id(tx, people)
    named: list[PersonKey] = []
    answers = []
    for task in tasks:
        named.append((task.account_id, task.stakeholder_id or ""))
        if task.response_id:
            answers.append((task.account_id, task.response_id))
    persons = await own_ids(tx, named)
    by_kind: dict[tuple[str, str, str], list[Task]] = {}
    for task, person in zip(tasks, named, strict=True):
        by_kind.setdefault((task.account_id, persons[person], task.kind), []).append(task)
    casework = Casework(resources, await Context.read(tx, [*named, *people], answers), tasks)
    change = TaskChange(SYSTEM, resources.clock.now())
    for (_, stakeholder_id, _), alike in sorted(by_kind.items()):
        _unite(casework, change, stakeholder_id, alike)
    await casework.save(tx)


def _unite(casework: Casework, change: TaskChange, stakeholder_id: str, alike: Sequence[Task]) -> None:
    """Of the follow-ups of one kind about one person the one opened first stays, with what the others had come to."""
    first, *others = alike
    if not others and first.stakeholder_id == stakeholder_id:
        return
    over = EndedReason(change.at, ONE_PERSON, "merged")
    for other in others:
        casework.record(close_by_facts(other, change, over, linked_to=first.follow_up_id))
    block = {"kind": "person", "from": first.stakeholder_id, "to": stakeholder_id}
    casework.record(move_to_person(first, change, stakeholder_id, others), block)
