"""Evaluates the rules for the accounts whose facts have changed: once after a poll, under the locks of the accounts.

Events only say which accounts to evaluate. Which follow-ups open, change or close depends on the current facts alone,
not on the events that brought them or on their order.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from services.alerting.courier.interface import subscribed_types
from services.alerting.domain.answers import AnswerKey
from services.alerting.domain.arrangement import DesiredTask
from services.alerting.domain.payloads import MessageSubject
from services.alerting.domain.people import SubjectKey, persons_of, themselves
from services.alerting.domain.reconciliation import COMES_BACK, EvaluationSettings, TaskUpdate, evaluate_account
from services.alerting.domain.segments import Shift
from services.alerting.domain.tasks import Task
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.context import Context
from services.alerting.handlers.dry_run_triggers import RuleEvent, save_triggers
from services.alerting.handlers.evaluation_messages import change_block, link_next_answers, publish_comments
from services.alerting.handlers.loaded_accounts import LoadedAccounts, load_accounts
from services.alerting.handlers.resources import Resources
from services.alerting.store.rules import current_rules
from services.alerting.store.tasks import ids_in_use, with_tasks
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


async def evaluate(tx: WriteTx, resources: Resources, request: EvaluationRequest) -> int:
    """Evaluate the rules, save the changed follow-ups and queue the messages. The caller holds the locks of the
    accounts. Returns the number of steps.
    """
    await _drop_unsubscribed(tx, request)
    await _by_own_ids(tx, request)
    people = await _concerned(tx, resources, request)
    loaded = LoadedAccounts()
    if people:
        loaded = await load_accounts(tx, resources, people, await resources.rules.in_force(tx, resources.clock))
    return await _carry_out(tx, resources, loaded, request, people)


async def evaluate_segments(tx: WriteTx, resources: Resources, shifts: Mapping[str, Shift | None]) -> int:
    """Evaluate the rules about segments, by how each has moved; the name of a segment stands in the place of an account
    id. The caller holds the locks of the names.
    """
    rules = await resources.rules.in_force(tx, resources.clock)
    loaded = await load_accounts(tx, resources, themselves(shifts), rules, shifts)
    return await _carry_out(tx, resources, loaded, EvaluationRequest(renewing=set(shifts)), set())


async def preview(tx: ReadTx, resources: Resources, accounts: Collection[str]) -> list[TaskUpdate]:
    """What an evaluation of these accounts would change, as at the daily watch; nothing is written."""
    rules = await current_rules(tx)
    loaded = await load_accounts(tx, resources, themselves(accounts), rules)
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
    link_next_answers(casework, loaded.facts, persons_of(people), resources.clock.now())
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
    people: dict[SubjectKey, SubjectKey] = {}
    for (account_id, person), own_id in (await own_ids(tx, persons_of(named))).items():
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
    concerned = request.fresh | themselves(request.renewing)
    others = request.others - concerned
    if not others:
        return concerned
    with_follow_ups = await with_tasks(tx, others, resources.clock.now() - COMES_BACK)
    for account_id, person in others:
        if account_id in with_follow_ups:
            concerned.add((account_id, person))
    return concerned


async def _updates_under_free_ids(
    tx: ReadTx, loaded: LoadedAccounts, resources: Resources, request: EvaluationRequest
) -> list[TaskUpdate]:
    """The updates of all accounts; none opens a follow-up under the id of another one. It would where the other was
    opened for the same occasion and its person became another's for a while.
    """
    taken: set[UUID] = set()
    while True:
        updates = _task_updates(loaded, resources, request, taken)
        if not loaded.have_tasks:
            return updates
        in_use = await ids_in_use(tx, _opened(updates))
        if not in_use:
            return updates
        taken |= in_use


def _opened(updates: Sequence[TaskUpdate]) -> list[UUID]:
    """The ids of the follow-ups that the updates open."""
    opened = []
    for update in updates:
        if update.step is not None and update.step.entry.action == "opened":
            opened.append(update.after.follow_up_id)
    return opened


def _task_updates(
    loaded: LoadedAccounts, resources: Resources, request: EvaluationRequest, taken: Collection[UUID] = ()
) -> list[TaskUpdate]:
    """The updates of all accounts, in the order of their ids; new follow-ups under none of the ids that are taken."""
    updates: list[TaskUpdate] = []
    settings = EvaluationSettings(loaded.rules, resources.policy, partial(follow_up_id_of, taken))
    for account_id in sorted(loaded.facts):
        facts, existing = loaded.facts[account_id], loaded.existing[account_id]
        updates += evaluate_account(facts, existing, settings, may_open=account_id in request.renewing)
    return updates


def follow_up_id_of(taken: Collection[UUID], account_id: str, desired: DesiredTask, closed_before: int) -> UUID:
    """The id of a follow-up: the same whenever the same facts are read again, and none that is taken."""
    first_occasion = desired.occasions[0].occasion.id
    number = closed_before
    while True:
        follow_up_id = derived_uuid(
            "follow_up", desired.kind, account_id, desired.stakeholder_id or "", first_occasion, str(number)
        )
        if follow_up_id not in taken:
            return follow_up_id
        number += 1


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
