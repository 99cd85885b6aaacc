"""One unit of work on follow-ups: tasks in memory, what becomes of them, and what is told about it.

Everything is written at the end in one go, tasks, history, triggers, events and messages, so that a batch of many
events costs few statements and its order is the order of the events.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerting.domain import messages
from services.alerting.domain.messages import WebhookMessage
from services.alerting.domain.notices import Announcement, Topic
from services.alerting.domain.payloads import Context, Subject, payload
from services.alerting.domain.rehearsal import Past
from services.alerting.domain.tasks import SYSTEM, Contact, EscalationCause, HistoryEntry, Step, Task
from services.alerting.domain.triggers import Fired, Trigger
from services.alerting.handlers.notices import announce
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.world import Key, World
from services.alerting.store import tasks as store
from services.alerting.store.accounts import next_sequences
from services.alerting.store.past import add_past, forget_past_answers
from services.alerting.store.webhooks import enqueue, subscribers
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.follow_ups import FollowUpChanged
from shared.ids import derived_uuid
from shared.topics import FOLLOW_UP_CLOSED, FOLLOW_UP_ESCALATED, FOLLOW_UP_OPENED, FOLLOW_UP_UPDATED, FOLLOW_UPS

AT_ONCE = 500
"""Messages a statement: at 20 kB each, 10 MB."""
SOURCE = "/tellback/alerting"
_TOLD_AS = {"opened": FOLLOW_UP_OPENED, "closed": FOLLOW_UP_CLOSED, "escalated": FOLLOW_UP_ESCALATED}


@dataclass(frozen=True, slots=True)
class News:
    """Something that the outside world may want to hear."""

    message_type: str
    event_id: UUID
    at: datetime
    subject: Subject

    def message(self, context: Context, sequence: int) -> WebhookMessage:
        """As it is stored and sent."""
        person = self.subject.person.stakeholder_id if self.subject.person else None
        account_id = self.subject.account.account_id
        data = payload(context, self.subject)
        return WebhookMessage(self.event_id, self.message_type, account_id, self.at, sequence, data, person)


class Casework:
    """The tasks that some events or a request may touch. The caller holds the locks of their accounts."""

    def __init__(self, resources: Resources, world: World, tasks: Iterable[Task], fired: Iterable[Fired] = ()) -> None:
        self.world = world
        self._resources = resources
        self._announced: list[Announcement] = []
        self._tasks: dict[UUID, Task] = {}
        self._people: dict[tuple[str, str | None], dict[UUID, None]] = {}
        self._fired: dict[UUID, dict[UUID, Fired]] = {}
        self._answers: dict[Key, dict[UUID, Fired]] = {}
        for task in tasks:
            self._keep(task)
        for one in fired:
            self._remember(one)
        self._changed: dict[UUID, None] = {}
        self._history: list[tuple[UUID, HistoryEntry]] = []
        self._touched: dict[UUID, Fired] = {}
        self._past: list[Past] = []
        self._unsaid: list[Key] = []
        self._events: list[Event] = []
        self._news: list[News] = []

    @classmethod
    async def around(
        cls,
        tx: WriteTx,
        resources: Resources,
        people: Iterable[tuple[str, str | None]],
        answers: Iterable[Key],
        corrected: Iterable[Key] = (),
    ) -> "Casework":
        """The open tasks of these people's accounts, what is known around them, and what fired them or the corrected
        answers.
        """
        pairs, known, changed = set(people), set(answers), set(corrected)
        tasks = await store.open_tasks_of_account(tx, {account_id for account_id, _ in pairs})
        pairs |= {(task.account_id, task.stakeholder_id) for task in tasks}
        shown = {(task.account_id, task.response_id) for task in tasks if task.response_id}
        world = await (await World.read(tx, pairs, known | shown)).with_beginnings(tx)
        fired: list[Fired] = []
        if changed:
            fired += await store.triggers_by_answer(tx, changed)
            fired += await store.triggers_of(tx, [task.follow_up_id for task in tasks])
        return cls(resources, world, tasks, fired)

    @classmethod
    async def of(cls, tx: WriteTx, resources: Resources, tasks: Iterable[Task]) -> "Casework":
        """These tasks and what is known around them."""
        found = list(tasks)
        world = await World.read(
            tx,
            [(task.account_id, task.stakeholder_id) for task in found],
            [(task.account_id, task.response_id) for task in found if task.response_id],
        )
        return cls(resources, world, found)

    def open_task(self, account_id: str, stakeholder_id: str | None, kind: str) -> Task | None:
        """The one task of this kind that is not closed."""
        return next((task for task in self.open_tasks(account_id, stakeholder_id) if task.kind == kind), None)

    def open_tasks(self, account_id: str, stakeholder_id: str | None) -> list[Task]:
        """All tasks of a person, or of the account itself, that are not closed."""
        theirs = (self._tasks[one] for one in self._people.get((account_id, stakeholder_id), ()))
        return [task for task in theirs if not task.is_closed]

    def tasks_of(self, account_id: str, stakeholder_id: str | None) -> list[Task]:
        """All tasks of a person at hand, open and closed."""
        return [self._tasks[one] for one in self._people.get((account_id, stakeholder_id), ())]

    def keep(self, tasks: Iterable[Task]) -> None:
        """Have more tasks at hand."""
        for task in tasks:
            self._keep(task)

    def amend(self, task: Task) -> None:
        """Take a change that leaves the version alone: nobody's work went stale."""
        self._keep(task)
        self._changed[task.follow_up_id] = None

    def open_tasks_at(self, account_id: str) -> list[Task]:
        """All tasks at an account that are not closed, whoever they are about."""
        return [task for task in self._tasks.values() if task.account_id == account_id and not task.is_closed]

    def task(self, follow_up_id: UUID) -> Task:
        """A task at hand, as it is now."""
        return self._tasks[follow_up_id]

    def tasks(self) -> list[Task]:
        """All tasks at hand."""
        return list(self._tasks.values())

    def fired(self, task: Task) -> list[Fired]:
        """What fired a task, where it was read."""
        return list(self._fired.get(task.follow_up_id, {}).values())

    def fired_by(self, account_id: str, response_id: str) -> list[Fired]:
        """What an answer fired, in open and in closed tasks."""
        return list(self._answers.get((account_id, response_id), {}).values())

    def record(self, step: Step, fired: Fired | None = None, change: Mapping[str, Any] | None = None) -> Task:
        """Take a step of a task, and tell of it."""
        task = step.task
        name = _TOLD_AS.get(step.entry.action, FOLLOW_UP_UPDATED)
        event_id = derived_uuid(name, str(task.follow_up_id), str(task.version))
        self._keep(task)
        self._changed[task.follow_up_id] = None
        self._history.append((task.follow_up_id, replace(step.entry, event_id=event_id)))
        if fired is not None:
            self.rejudge(fired)
        self._tell_of(task, name, event_id, step.entry.at, change)
        if step.entry.action == "opened":
            self.announce("follow_ups", task, (task.owner, *task.informed))
        return task

    def announce(
        self, topic: Topic, task: Task, concerned: tuple[Contact, ...], cause: EscalationCause | None = None
    ) -> None:
        """Let people be told of a task as it is now."""
        event_id = derived_uuid("notice", str(task.follow_up_id), str(task.version))
        self._announced.append(
            Announcement(topic, event_id, task.account_id, task.severity, concerned, task.follow_up_id, None, cause)
        )

    def rejudge(self, fired: Fired) -> None:
        """Keep what fired a task, or what became of it by a correction."""
        self._remember(fired)
        self._touched[fired.trigger.event_id] = fired

    def judged(self, trigger: Trigger, task: Task | None) -> None:
        """Keep an event that rules were asked about, for dry-runs."""
        self._past.append(Past(trigger, task.follow_up_id if task else None))

    def unsay(self, account_id: str, response_id: str) -> None:
        """An answer was corrected: what was kept of it for dry-runs goes."""
        self._unsaid.append((account_id, response_id))

    def retell(self, task: Task, cause: UUID, at: datetime, action: str, change: Mapping[str, Any]) -> None:
        """Tell of a task again because something around it changed, not the task itself: its version stays."""
        event_id = derived_uuid(FOLLOW_UP_UPDATED, str(task.follow_up_id), str(cause))
        self._history.append((task.follow_up_id, HistoryEntry(action, SYSTEM, at, task.version, event_id=event_id)))
        self._tell_of(task, FOLLOW_UP_UPDATED, event_id, at, change)

    def tell(self, message_type: str, event_id: UUID, at: datetime, subject: Subject) -> None:
        """Send a message that is about no task."""
        self._news.append(News(message_type, event_id, at, subject))

    async def save(self, tx: WriteTx) -> None:
        """Write all of it, in the transaction of the caller."""
        await store.save_tasks(tx, [self._tasks[one] for one in self._changed])
        await store.add_history(tx, self._history)
        await store.save_triggers(tx, list(self._touched.values()))
        if self._unsaid:
            await forget_past_answers(tx, self._unsaid)
        await add_past(tx, self._past)
        await tx.emit(FOLLOW_UPS, *self._events)
        await send(tx, self._resources.context, self._news)
        await announce(tx, self._resources, self.world, self._announced)

    def _keep(self, task: Task) -> None:
        self._tasks[task.follow_up_id] = task
        self._people.setdefault((task.account_id, task.stakeholder_id), {})[task.follow_up_id] = None

    def _remember(self, fired: Fired) -> None:
        trigger = fired.trigger
        self._fired.setdefault(fired.follow_up_id, {})[trigger.event_id] = fired
        if trigger.response_id is not None:
            key = (trigger.account_id, trigger.response_id)
            self._answers.setdefault(key, {})[trigger.event_id] = fired

    def _tell_of(self, task: Task, name: str, event_id: UUID, at: datetime, change: Mapping[str, Any] | None) -> None:
        self._events.append(
            Event(event_id, name, SOURCE, at, task.account_id, follow_up_changed(task, at)),
        )
        self.tell(_MESSAGES[name], event_id, at, self.world.around(task, change))


_MESSAGES = {
    FOLLOW_UP_OPENED: messages.FOLLOW_UP_OPENED,
    FOLLOW_UP_UPDATED: messages.FOLLOW_UP_UPDATED,
    FOLLOW_UP_ESCALATED: messages.FOLLOW_UP_ESCALATED,
    FOLLOW_UP_CLOSED: messages.FOLLOW_UP_CLOSED,
}


def follow_up_changed(task: Task, at: datetime) -> FollowUpChanged:
    """The event that says how a task looks now."""
    return FollowUpChanged(
        follow_up_id=str(task.follow_up_id),
        version=task.version,
        kind=task.kind,
        severity=task.severity,
        state=task.state,
        account_id=task.account_id,
        stakeholder_id=task.stakeholder_id,
        response_id=task.response_id,
        due_at=task.due_at,
        occurrences=task.occurrences,
        outcome=task.outcome,
        at=at,
    )


async def send(tx: WriteTx, context: Context, news: Sequence[News]) -> None:
    """Number what somebody wants to hear, account by account, and queue it for every endpoint that wants it."""
    to = await subscribers(tx) if news else []
    wanted = [one for one in news if any(endpoint.wants(one.message_type) for endpoint in to)]
    if not wanted:
        return
    numbers = await next_sequences(tx, [one.subject.account.account_id for one in wanted])
    for begin in range(0, len(wanted), AT_ONCE):
        part = zip(wanted[begin : begin + AT_ONCE], numbers[begin : begin + AT_ONCE], strict=True)
        await enqueue(tx, *(one.message(context, number) for one, number in part), to=to)
