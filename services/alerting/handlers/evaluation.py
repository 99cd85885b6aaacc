"""Evaluates the rules for the accounts whose facts have changed: once after a poll, under the locks of the accounts.

Events only say which accounts to evaluate. Which follow-ups open, change or close depends on the current facts alone,
not on the events that brought them or on their order.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from services.alerting.courier.interface import subscribed_types
from services.alerting.domain.answers import AnswerKey
from services.alerting.domain.arrangement import DesiredTask
from services.alerting.domain.default_rules import ANSWERED
from services.alerting.domain.occasions import is_about_account
from services.alerting.domain.payloads import MessageSubject
from services.alerting.domain.people import Account
from services.alerting.domain.reconciliation import (
    COMES_BACK,
    AccountTasks,
    EvaluationSettings,
    TaskUpdate,
    evaluate_account,
)
from services.alerting.domain.rule_facts import Facts
from services.alerting.domain.rules import Rule
from services.alerting.domain.tasks import Task
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.context import Context
from services.alerting.handlers.dry_run_triggers import RuleEvent, save_triggers
from services.alerting.handlers.evaluation_messages import change_block, link_next_answers, publish_comments
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.rules import rules_in_force
from services.alerting.store.facts import SubjectKey, read_facts
from services.alerting.store.occasions import TaskOccasion, occasions_of, settled
from services.alerting.store.rules import current_rules
from services.alerting.store.tasks import ids_in_use, last_closed, tasks_at_hand, with_tasks
from shared.db.directory import own_ids
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import derived_uuid


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """A message that is about no follow-up; its account, person and answer are read when it is written."""

    message_type: str
    event_id: UUID
    at: datetime
    account_id: str
    stakeholder_id: str | None = None
    response_id: str | None = None
    change: Mapping[str, Any] | None = None


About = TypeVar("About", MessageRequest, RuleEvent)


@dataclass(slots=True)
class EvaluationRequest:
    """Whom to evaluate after a poll, and which messages to send.

    `fresh` are people, None for the account itself, about whom a follow-up may open; for `others` only the follow-ups
    that exist are evaluated. `renewing` are accounts whose renewal may open a follow-up: its date was entered, or the
    class has changed. `comments` are answers whose comment has changed, with the event; `rule_events` are kept for
    dry-runs, and what was kept of `corrected_answers` is deleted.
    """

    fresh: set[SubjectKey] = field(default_factory=set)
    others: set[SubjectKey] = field(default_factory=set)
    renewing: set[str] = field(default_factory=set)
    messages: list[MessageRequest] = field(default_factory=list)
    comments: dict[AnswerKey, tuple[UUID, datetime]] = field(default_factory=dict)
    rule_events: list[RuleEvent] = field(default_factory=list)
    corrected_answers: list[AnswerKey] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LoadedAccounts:
    """The accounts of one evaluation: their facts, their follow-ups, and the rules."""

    rules: tuple[Rule, ...]
    facts: Mapping[str, Facts]
    existing: Mapping[str, AccountTasks]
    tasks: Sequence[Task]


async def evaluate(tx: WriteTx, resources: Resources, request: EvaluationRequest) -> int:
    """Evaluate the rules, save the changed follow-ups and queue the messages. The caller holds the locks of the
    accounts. Returns the number of steps.
    """
    await _drop_unsubscribed(tx, request)
    await _by_own_ids(tx, request)
    people = await _concerned(tx, resources, request)
    loaded = LoadedAccounts((), {}, {}, ())
    if people:
        loaded = await _load_accounts(tx, resources, people, await rules_in_force(tx, resources.clock))
    return await _carry_out(tx, resources, loaded, request, people)


async def evaluate_segments(tx: WriteTx, resources: Resources, facts: Mapping[str, Facts]) -> int:
    """Evaluate the rules about segments; the name of a segment stands in the place of an account id. The caller holds
    the locks of the names.
    """
    loaded = await _load_segments(tx, resources, facts)
    return await _carry_out(tx, resources, loaded, EvaluationRequest(renewing=set(facts)), set())


async def preview(tx: ReadTx, resources: Resources, accounts: Collection[str]) -> list[TaskUpdate]:
    """What an evaluation of these accounts would change, as at the daily watch; nothing is written."""
    rules = await current_rules(tx)
    loaded = await _load_accounts(tx, resources, {(account_id, None) for account_id in accounts}, rules)
    request = EvaluationRequest(renewing=set(accounts))
    return [update for update in _task_updates(loaded, resources, request) if update.step is not None]


async def _carry_out(
    tx: WriteTx,
    resources: Resources,
    loaded: LoadedAccounts,
    request: EvaluationRequest,
    people: Collection[SubjectKey],
) -> int:
    updates = await _updates_under_free_ids(tx, loaded, resources, request)
    persons = {(account_id, person) for account_id, person in people if person is not None}
    casework = await _casework(tx, resources, loaded, updates, request)
    for message in request.messages:
        casework.queue_message(message.message_type, message.event_id, message.at, _subject(casework.context, message))
    steps = 0
    for update in updates:
        if update.step is not None:
            steps += 1
            casework.record(update.step, change_block(update))
        if update.desired is not None:
            casework.keep_occasions(update.after, update.desired, update.taken_in)
    link_next_answers(casework, loaded.facts, persons, resources.clock.now())
    publish_comments(casework, updates, request.comments)
    await casework.save(tx)
    await save_triggers(tx, request.rule_events, request.corrected_answers, loaded.facts, casework.tasks())
    return steps


async def _drop_unsubscribed(tx: ReadTx, request: EvaluationRequest) -> None:
    """Leave out the messages to which no endpoint has subscribed."""
    if request.messages:
        subscribed = await subscribed_types(tx, {message.message_type for message in request.messages})
        request.messages = [message for message in request.messages if message.message_type in subscribed]


async def _by_own_ids(tx: ReadTx, request: EvaluationRequest) -> None:
    """Name the people by their own ids, whichever of their ids the events named."""
    named: set[SubjectKey] = request.fresh | request.others
    for message in request.messages:
        named.add((message.account_id, message.stakeholder_id))
    for event in request.rule_events:
        named.add((event.account_id, event.stakeholder_id))
    found = await own_ids(tx, [(account_id, person) for account_id, person in named if person is not None])
    people: dict[SubjectKey, SubjectKey] = {}
    for (account_id, person), own_id in found.items():
        if own_id != person:
            people[account_id, person] = (account_id, own_id)
    if not people:
        return
    request.fresh = {people.get(person, person) for person in request.fresh}
    request.others = {people.get(person, person) for person in request.others}
    request.messages = [_of_person(message, people) for message in request.messages]
    request.rule_events = [_of_person(event, people) for event in request.rule_events]


def _of_person(about: About, people: Mapping[SubjectKey, SubjectKey]) -> About:
    person = people.get((about.account_id, about.stakeholder_id))
    if person is None:
        return about
    return replace(about, stakeholder_id=person[1])


async def _concerned(tx: WriteTx, resources: Resources, request: EvaluationRequest) -> set[SubjectKey]:
    """Whom to evaluate: everybody in `fresh` and `renewing`, and those in `others` who have a follow-up."""
    fresh = request.fresh | {(account_id, None) for account_id in request.renewing}
    others = request.others - fresh
    if not others:
        return fresh
    with_follow_ups = await with_tasks(tx, others, resources.clock.now() - COMES_BACK)
    return fresh | {(account_id, person) for account_id, person in others if account_id in with_follow_ups}


async def _load_accounts(
    tx: ReadTx, resources: Resources, people: Collection[SubjectKey], rules: Sequence[Rule]
) -> LoadedAccounts:
    """Read the facts and the follow-ups of the accounts. A caller that writes holds the locks of the accounts."""
    accounts, now = {account_id for account_id, _ in people}, resources.clock.now()
    persons = [(account_id, person) for account_id, person in people if person is not None]
    tasks = await tasks_at_hand(tx, accounts, now - COMES_BACK, persons)
    occasions_by_task = await occasions_of(tx, [task.follow_up_id for task in tasks])
    concerned = set(people) | {(account_id, None) for account_id in accounts}
    for task in tasks:
        concerned.add((task.account_id, task.stakeholder_id))
        for row in occasions_by_task.get(task.follow_up_id, ()):
            concerned.add((task.account_id, row.stakeholder_id))
    bare = Facts(Account(""), now, resources.policy.calendar, burst=resources.burst)
    facts = await read_facts(tx, concerned, bare, _burst_threshold(rules, tasks))
    people_read: set[SubjectKey] = set()
    for account_id, of_account in facts.items():
        people_read.add((account_id, None))
        people_read.update((account_id, stakeholder_id) for stakeholder_id in of_account.answers)
    closed = await last_closed(tx, people_read)
    return LoadedAccounts(tuple(rules), facts, _tasks_by_account(facts, tasks, occasions_by_task, closed), tasks)


async def _load_segments(tx: WriteTx, resources: Resources, facts: Mapping[str, Facts]) -> LoadedAccounts:
    names = {(name, None) for name in facts}
    rules = tuple(await rules_in_force(tx, resources.clock))
    tasks = await tasks_at_hand(tx, facts, resources.clock.now() - COMES_BACK)
    occasions_by_task = await occasions_of(tx, [task.follow_up_id for task in tasks])
    settled_by_name = await settled(tx, names)
    complete = {}
    for name, of_segment in facts.items():
        complete[name] = replace(of_segment, settled=frozenset(settled_by_name.get(name, ())))
    return LoadedAccounts(
        rules, complete, _tasks_by_account(complete, tasks, occasions_by_task, await last_closed(tx, names)), tasks
    )


def _burst_threshold(rules: Sequence[Rule], tasks: Sequence[Task]) -> int | None:
    """From how many recent detractors on everybody at the account is read: the least number that a rule about bursts
    needs, and 1 while a follow-up about several people is open. None where no rule counts detractors.
    """
    if any(task.stakeholder_id is None and _event_of(task) == ANSWERED for task in tasks):
        return 1
    counts = []
    for rule in rules:
        if rule.enabled and rule.event == ANSWERED and is_about_account(rule):
            least = [test.value for test in rule.tests("burst") if test.operator == "min"]
            counts.append(int(max(least, default=1)))
    return min(counts, default=None)


def _event_of(task: Task) -> str | None:
    event: str | None = (task.policy.get("rule") or {}).get("event")
    return event


def _tasks_by_account(
    facts: Mapping[str, Facts],
    tasks: Iterable[Task],
    occasions_by_task: Mapping[UUID, Sequence[TaskOccasion]],
    closed: Iterable[tuple[Task, int]],
) -> dict[str, AccountTasks]:
    open_by: dict[str, dict[tuple[str | None, str], Task]] = {account_id: {} for account_id in facts}
    closed_by: dict[str, dict[tuple[str | None, str], Task]] = {account_id: {} for account_id in facts}
    counts: dict[str, dict[tuple[str | None, str], int]] = {account_id: {} for account_id in facts}
    for task in tasks:
        if not task.is_closed:
            open_by[task.account_id][task.stakeholder_id, task.kind] = task
    for task, count in closed:
        closed_by[task.account_id][task.stakeholder_id, task.kind] = task
        counts[task.account_id][task.stakeholder_id, task.kind] = count
    rests = {}
    for follow_up_id, rows in occasions_by_task.items():
        holding = [row for row in rows if row.holds]
        rests[follow_up_id] = frozenset((row.kind, row.stakeholder_id, row.occasion) for row in holding)
    existing = {}
    for account_id in facts:
        existing[account_id] = AccountTasks(open_by[account_id], closed_by[account_id], counts[account_id], rests)
    return existing


async def _updates_under_free_ids(
    tx: ReadTx, loaded: LoadedAccounts, resources: Resources, request: EvaluationRequest
) -> list[TaskUpdate]:
    """The updates of all accounts; none opens a follow-up under the id of another one. It would where the other was
    opened for the same occasion and its person became another's for a while.
    """
    taken: set[UUID] = set()
    while True:
        updates = _task_updates(loaded, resources, request, taken)
        opened = []
        for update in updates:
            if update.step is not None and update.step.entry.action == "opened":
                opened.append(update.after.follow_up_id)
        found = await ids_in_use(tx, opened)
        if not found:
            return updates
        taken |= found


def _task_updates(
    loaded: LoadedAccounts, resources: Resources, request: EvaluationRequest, taken: Collection[UUID] = ()
) -> list[TaskUpdate]:
    """The updates of all accounts, in the order of their ids; new follow-ups under none of the ids that are taken."""
    updates: list[TaskUpdate] = []
    new_id = partial(follow_up_id_of, taken)
    for account_id in sorted(loaded.facts):
        settings = EvaluationSettings(loaded.rules, resources.policy, new_id, account_id in request.renewing)
        updates += evaluate_account(loaded.facts[account_id], loaded.existing[account_id], settings)
    return updates


def follow_up_id_of(taken: Collection[UUID], account_id: str, desired: DesiredTask, closed_before: int) -> UUID:
    """The id of a follow-up: the same whenever the same facts are read again, and none that is taken."""
    first = desired.occasions[0].occasion.id
    named = ("follow_up", desired.kind, account_id, desired.stakeholder_id or "", first)
    number = closed_before
    while derived_uuid(*named, str(number)) in taken:
        number += 1
    return derived_uuid(*named, str(number))


async def _casework(
    tx: WriteTx,
    resources: Resources,
    loaded: LoadedAccounts,
    updates: Sequence[TaskUpdate],
    request: EvaluationRequest,
) -> Casework:
    """The follow-ups, with the accounts, people and answers that they and the requested messages are about."""
    people: set[SubjectKey] = set()
    answers: set[AnswerKey] = set()
    subjects: list[Task | MessageRequest] = [update.after for update in updates]
    for subject in (*subjects, *loaded.tasks, *request.messages):
        people.add((subject.account_id, subject.stakeholder_id))
        if subject.response_id:
            answers.add((subject.account_id, subject.response_id))
    return Casework(resources, await Context.read(tx, people, answers, loaded.facts.values()), loaded.tasks)


def _subject(context: Context, message: MessageRequest) -> MessageSubject:
    return MessageSubject(
        context.account(message.account_id),
        context.person(message.account_id, message.stakeholder_id),
        context.answer(message.account_id, message.response_id),
        change=message.change,
    )
