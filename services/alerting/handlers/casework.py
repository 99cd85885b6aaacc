"""One unit of work on follow-ups: the tasks in memory, their changes, and the events and messages about these.

Everything is written at the end in one go, tasks, history, what they rest on, events and messages, so that a batch of
many events costs few statements and its order is the order of the events.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerting.courier.interface import WebhookMessage, enqueue, messages, subscribers
from services.alerting.domain.arrangement import DesiredTask
from services.alerting.domain.notices import Announcement, Topic
from services.alerting.domain.payloads import MessageSubject, PayloadSettings, payload
from services.alerting.domain.tasks import SYSTEM, Contact, EscalationCause, HistoryEntry, Task, TaskStep
from services.alerting.domain.wording import read_on
from services.alerting.handlers.context import Context
from services.alerting.handlers.notices import announce
from services.alerting.handlers.resources import Resources
from services.alerting.store import tasks as store
from services.alerting.store.accounts import next_sequences
from services.alerting.store.occasions import save_occasions, settle
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.follow_ups import FollowUpChanged
from shared.ids import derived_uuid
from shared.topics import FOLLOW_UP_CLOSED, FOLLOW_UP_ESCALATED, FOLLOW_UP_OPENED, FOLLOW_UP_UPDATED, FOLLOW_UPS

AT_ONCE = 500
"""Messages a statement: at 20 kB each, 10 MB."""
SOURCE = "/tellback/alerting"
_EVENT_NAMES = {"opened": FOLLOW_UP_OPENED, "closed": FOLLOW_UP_CLOSED, "escalated": FOLLOW_UP_ESCALATED}


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message for the endpoints that have subscribed to its type."""

    message_type: str
    event_id: UUID
    at: datetime
    subject: MessageSubject

    def message(self, payload_settings: PayloadSettings, sequence: int) -> WebhookMessage:
        """As it is stored and sent."""
        account, person = self.subject.account, self.subject.person
        stakeholder_id = None
        if person is not None:
            stakeholder_id = person.stakeholder_id
        return WebhookMessage(
            event_id=self.event_id,
            type=self.message_type,
            account_id=account.account_id,
            timestamp=self.at,
            sequence=sequence,
            data=payload(payload_settings, self.subject),
            stakeholder_id=stakeholder_id,
            owner_email=account.owner.email,
        )


class Casework:
    """The tasks that some events or a request may touch. The caller holds the locks of their accounts."""

    def __init__(self, resources: Resources, context: Context, tasks: Iterable[Task]) -> None:
        self.context = context
        self._resources = resources
        self._announcements: list[Announcement] = []
        self._tasks = {task.follow_up_id: task for task in tasks}
        self._changed: dict[UUID, None] = {}
        self._history: list[tuple[UUID, HistoryEntry]] = []
        self._occasions: list[tuple[Task, DesiredTask | None, Sequence[DesiredTask]]] = []
        self._settled: list[UUID] = []
        self._events: list[Event] = []
        self._messages: list[OutgoingMessage] = []

    @classmethod
    async def of(cls, tx: WriteTx, resources: Resources, tasks: Iterable[Task]) -> "Casework":
        """The tasks with their accounts, people and answers, which it reads."""
        known_tasks = list(tasks)
        people = [(task.account_id, task.stakeholder_id) for task in known_tasks]
        answers = [(task.account_id, task.response_id) for task in known_tasks if task.response_id]
        return cls(resources, await Context.read(tx, people, answers), known_tasks)

    @classmethod
    async def locked(cls, tx: WriteTx, resources: Resources, tasks: Sequence[Task]) -> "Casework":
        """The tasks, locked: it takes the locks of their accounts, then reads the tasks again."""
        await tx.lock_accounts({task.account_id for task in tasks})
        locked: Sequence[Task] = []
        if tasks:
            locked = await store.tasks_by_id(tx, [task.follow_up_id for task in tasks])
        return await cls.of(tx, resources, locked)

    def amend(self, task: Task) -> None:
        """Take a change that leaves the version alone."""
        self._tasks[task.follow_up_id] = task
        self._changed[task.follow_up_id] = None

    def task(self, follow_up_id: UUID) -> Task:
        """A task at hand, as it is now."""
        return self._tasks[follow_up_id]

    def tasks(self) -> list[Task]:
        """All tasks at hand."""
        return list(self._tasks.values())

    def record(self, step: TaskStep, change: Mapping[str, Any] | None = None) -> Task:
        """Take a step of a task, and publish it unless only the wording has changed."""
        task, entry = step.task, step.entry
        self.amend(task)
        if not step.is_published:
            self._history.append((task.follow_up_id, entry))
            return task
        name = _EVENT_NAMES.get(entry.action, FOLLOW_UP_UPDATED)
        event_id = derived_uuid(name, str(task.follow_up_id), str(task.version))
        self._history.append((task.follow_up_id, replace(entry, event_id=event_id)))
        self._publish(task, name, event_id, entry.at, change)
        if entry.action == "opened" or (entry.action == "reopened" and entry.actor == SYSTEM):
            self.announce("follow_ups", task, (task.owner, *task.informed))
        # What a burst has taken in goes on counting there, also where somebody closes its own follow-up.
        if entry.action == "closed" and task.closed_by == "person" and task.outcome != "superseded":
            self._settled.append(task.follow_up_id)
        return task

    def keep_occasions(self, task: Task, desired: DesiredTask | None, taken_in: Sequence[DesiredTask] = ()) -> None:
        """Keep the occasions of a task, so that it can be explained, and settled when a person closes it."""
        self._occasions.append((task, desired, taken_in))

    def announce(
        self, topic: Topic, task: Task, concerned: tuple[Contact, ...], cause: EscalationCause | None = None
    ) -> None:
        """Announce a task as it is now to people."""
        event_id = derived_uuid("notice", str(task.follow_up_id), str(task.version))
        self._announcements.append(
            Announcement(topic, event_id, task.account_id, task.severity, concerned, task.follow_up_id, None, cause)
        )

    def publish_again(self, task: Task, cause: UUID, at: datetime, action: str, change: Mapping[str, Any]) -> None:
        """Publish a task again, under its version, because something around it has changed and not the task itself."""
        event_id = derived_uuid(FOLLOW_UP_UPDATED, str(task.follow_up_id), str(cause))
        self._history.append((task.follow_up_id, HistoryEntry(action, SYSTEM, at, task.version, event_id=event_id)))
        self._publish(task, FOLLOW_UP_UPDATED, event_id, at, change)

    def queue_message(self, message_type: str, event_id: UUID, at: datetime, subject: MessageSubject) -> None:
        """Send a message that is about no task."""
        self._messages.append(OutgoingMessage(message_type, event_id, at, subject))

    async def save(self, tx: WriteTx) -> None:
        """Write all of it, in the transaction of the caller."""
        await store.save_tasks(tx, [self._tasks[follow_up_id] for follow_up_id in self._changed])
        await store.add_history(tx, self._history)
        await save_occasions(tx, self._occasions)
        if self._settled:
            await settle(tx, self._settled)
        await tx.emit(FOLLOW_UPS, *self._events)
        await send(tx, self._resources.payload_settings, self._messages)
        await announce(tx, self._resources, self.context, self._announcements)

    def _publish(self, task: Task, name: str, event_id: UUID, at: datetime, change: Mapping[str, Any] | None) -> None:
        self._events.append(
            Event(event_id, name, SOURCE, at, task.account_id, follow_up_changed(task, at)),
        )
        today = self._resources.policy.calendar.local_date(at)
        self.queue_message(_MESSAGE_TYPES[name], event_id, at, self.context.around(read_on(task, today), change))


_MESSAGE_TYPES = {
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
        reason_holds=task.reason_holds,
        outcome=task.outcome,
        closed_by=task.closed_by,
        at=at,
    )


async def send(tx: WriteTx, payload_settings: PayloadSettings, outgoing: Sequence[OutgoingMessage]) -> None:
    """Number the messages that endpoints have subscribed to, account by account, and queue each for its endpoints."""
    if not outgoing:
        return
    endpoints = await subscribers(tx)
    wanted = [item for item in outgoing if any(endpoint.wants(item.message_type) for endpoint in endpoints)]
    if not wanted:
        return
    numbers = await next_sequences(tx, [item.subject.account.account_id for item in wanted])
    numbered = list(zip(wanted, numbers, strict=True))
    for begin in range(0, len(numbered), AT_ONCE):
        part = [item.message(payload_settings, number) for item, number in numbered[begin : begin + AT_ONCE]]
        await enqueue(tx, *part, to=endpoints)
