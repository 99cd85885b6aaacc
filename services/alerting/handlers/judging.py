"""Facts have changed: once after a batch, under the locks of the accounts, everything about them is judged anew.

Events only wake. What opens, changes or ends follows from the facts of now, whatever brought them and in which order.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerting.domain.arrangement import Claim
from services.alerting.domain.default_rules import ANSWERED
from services.alerting.domain.facts import Facts
from services.alerting.domain.occasions import is_about_account
from services.alerting.domain.payloads import Subject
from services.alerting.domain.people import Account
from services.alerting.domain.reconciliation import COMES_BACK, Desk, Judged, Judgement, judge_account
from services.alerting.domain.recovery import next_answer_of
from services.alerting.domain.rules import Rule
from services.alerting.domain.tasks import Task
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.past import Asked, remember
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.rules import rules_in_force
from services.alerting.handlers.world import Key, World
from services.alerting.store.facts import Person, read_facts
from services.alerting.store.occasions import RestsOn, occasions_of, settled
from services.alerting.store.rules import current_rules
from services.alerting.store.tasks import closed_with_score, last_closed, tasks_at_hand, with_tasks
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import derived_uuid


@dataclass(frozen=True, slots=True)
class Told:
    """A message that is about no follow-up; its account, person and answer are read when it is written."""

    message_type: str
    event_id: UUID
    at: datetime
    account_id: str
    stakeholder_id: str | None = None
    response_id: str | None = None
    change: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Batch:
    """What came of a batch of records besides the facts that were written: who is to be judged, and what is told.

    `fresh` are people, None for the account itself, about whom a follow-up may open; `others` those of whom only what
    is there is judged. `renewing` are accounts of which a renewal may open one: its date was entered, or the class has
    changed. `comments` are answers whose words are others now, with the event; `asked` the events that are kept for
    dry-runs.
    """

    fresh: set[Person] = field(default_factory=set)
    others: set[Person] = field(default_factory=set)
    renewing: set[str] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)
    comments: dict[Key, tuple[UUID, datetime]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    unsaid: list[Key] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Court:
    """All that is judged at once: the facts of each account and its follow-ups."""

    rules: tuple[Rule, ...]
    facts: Mapping[str, Facts]
    desks: Mapping[str, Desk]
    tasks: Sequence[Task]


async def judge(tx: WriteTx, resources: Resources, batch: Batch) -> int:
    """Judge what a batch has touched, and write down and tell all that follows. Returns the number of steps."""
    people = await _concerned(tx, resources, batch)
    await tx.lock_accounts({account_id for account_id, _ in people} | {told.account_id for told in batch.told})
    court = Court((), {}, {}, ())
    if people:
        court = await _convene(tx, resources, people, await rules_in_force(tx, resources.clock))
    return await _carry_out(tx, resources, court, batch, people)


async def judge_segments(tx: WriteTx, resources: Resources, facts: Mapping[str, Facts]) -> int:
    """Judge segments, each under the name that stands for an account."""
    await tx.lock_accounts(facts)
    court = await _convene_segments(tx, resources, facts)
    return await _carry_out(tx, resources, court, Batch(renewing=set(facts)), set())


async def preview(tx: ReadTx, resources: Resources, accounts: Collection[str]) -> list[Judged]:
    """What judging these accounts would change, as at the daily watch; nothing is written."""
    rules = await current_rules(tx)
    court = await _convene(tx, resources, {(account_id, None) for account_id in accounts}, rules)
    batch = Batch(renewing=set(accounts))
    return [judged for judged in _judged(court, resources, batch) if judged.step is not None]


async def _carry_out(tx: WriteTx, resources: Resources, court: Court, batch: Batch, people: Collection[Person]) -> int:
    judgements = _judged(court, resources, batch)
    persons = {(account_id, person) for account_id, person in people if person is not None}
    closed: Sequence[Task] = []
    if persons:
        closed = await closed_with_score(tx, persons)
    casework = await _casework(tx, resources, [*closed, *court.tasks], judgements, batch)
    for told in batch.told:
        casework.tell(told.message_type, told.event_id, told.at, _subject(casework.world, told))
    steps = 0
    for judged in judgements:
        if judged.step is not None:
            steps += 1
            casework.record(judged.step, change_block(judged))
        if judged.claim is not None:
            casework.rests_on(judged.after, judged.claim, judged.taken_in)
    _tie_next_answers(casework, court, persons, resources.clock.now())
    _retell_comments(casework, judgements, batch)
    await casework.save(tx)
    await remember(tx, batch.asked, batch.unsaid, court.facts, casework.tasks())
    return steps


async def _concerned(tx: WriteTx, resources: Resources, batch: Batch) -> set[Person]:
    """Whom to judge: where something fresh has come, and where there is a follow-up."""
    fresh = batch.fresh | {(account_id, None) for account_id in batch.renewing}
    others = batch.others - fresh
    if not others:
        return fresh
    with_follow_ups = await with_tasks(tx, others, resources.clock.now() - COMES_BACK)
    return fresh | {(account_id, person) for account_id, person in others if account_id in with_follow_ups}


async def _convene(tx: ReadTx, resources: Resources, people: Collection[Person], rules: Sequence[Rule]) -> Court:
    """Read the facts and the follow-ups of the accounts; under their locks, where something is to be done."""
    accounts, now = {account_id for account_id, _ in people}, resources.clock.now()
    tasks = await tasks_at_hand(tx, accounts, now - COMES_BACK)
    resting = await occasions_of(tx, [task.follow_up_id for task in tasks])
    concerned = set(people) | {(account_id, None) for account_id in accounts}
    for task in tasks:
        concerned.add((task.account_id, task.stakeholder_id))
        for row in resting.get(task.follow_up_id, ()):
            concerned.add((task.account_id, row.stakeholder_id))
    bare = Facts(Account(""), now, resources.policy.calendar, burst=resources.burst)
    facts = await read_facts(tx, concerned, bare, _crowd(rules, tasks))
    people_read: set[Person] = set()
    for account_id, of_account in facts.items():
        people_read.add((account_id, None))
        people_read.update((account_id, stakeholder_id) for stakeholder_id in of_account.answers)
    closed = await last_closed(tx, people_read)
    return Court(tuple(rules), facts, _desks(facts, tasks, resting, closed), tasks)


async def _convene_segments(tx: WriteTx, resources: Resources, facts: Mapping[str, Facts]) -> Court:
    names = {(name, None) for name in facts}
    rules = tuple(await rules_in_force(tx, resources.clock))
    tasks = await tasks_at_hand(tx, facts, resources.clock.now() - COMES_BACK)
    resting = await occasions_of(tx, [task.follow_up_id for task in tasks])
    settled_by_name = await settled(tx, names)
    complete = {}
    for name, of_segment in facts.items():
        complete[name] = replace(of_segment, settled=frozenset(settled_by_name.get(name, ())))
    return Court(rules, complete, _desks(complete, tasks, resting, await last_closed(tx, names)), tasks)


def _crowd(rules: Sequence[Rule], tasks: Sequence[Task]) -> int | None:
    """From how many unhappy people on the whole account is looked at: as many as a rule needs, everybody while a
    follow-up stands for several people. None where no rule counts them.
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


def _desks(
    facts: Mapping[str, Facts],
    tasks: Iterable[Task],
    resting: Mapping[UUID, Sequence[RestsOn]],
    closed: Iterable[tuple[Task, int]],
) -> dict[str, Desk]:
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
    for follow_up_id, rows in resting.items():
        holding = [row for row in rows if row.holds]
        rests[follow_up_id] = frozenset((row.kind, row.stakeholder_id, row.occasion) for row in holding)
    desks = {}
    for account_id in facts:
        desks[account_id] = Desk(open_by[account_id], closed_by[account_id], counts[account_id], rests)
    return desks


def _judged(court: Court, resources: Resources, batch: Batch) -> list[Judged]:
    """The judgements of all accounts, one account after the other."""
    judgements: list[Judged] = []
    for account_id in sorted(court.facts):
        judgement = Judgement(court.rules, resources.policy, name_of, account_id in batch.renewing)
        judgements += judge_account(court.facts[account_id], court.desks[account_id], judgement)
    return judgements


def name_of(account_id: str, claim: Claim, closed_before: int) -> UUID:
    """The id of a follow-up: the same whenever the same facts are read again."""
    first = claim.held[0].occasion.id
    return derived_uuid("follow_up", claim.kind, account_id, claim.stakeholder_id or "", first, str(closed_before))


async def _casework(
    tx: WriteTx, resources: Resources, at_hand: Sequence[Task], judged: Sequence[Judged], batch: Batch
) -> Casework:
    """The follow-ups at hand, with what is known around them and around what is told."""
    people: set[Person] = set()
    answers: set[Key] = set()
    subjects: list[Task | Told] = [judgement.after for judgement in judged]
    for subject in (*subjects, *at_hand, *batch.told):
        people.add((subject.account_id, subject.stakeholder_id))
        if subject.response_id:
            answers.add((subject.account_id, subject.response_id))
    world = World({}, {}, {})
    if people:
        world = await World.read(tx, people, answers)
    return Casework(resources, world, at_hand)


def _subject(world: World, told: Told) -> Subject:
    return Subject(
        world.account(told.account_id),
        world.person(told.account_id, told.stakeholder_id),
        world.answer(told.account_id, told.response_id),
        change=told.change,
    )


def change_block(judged: Judged) -> dict[str, Any]:
    """What a message says about a judgement: whether the reason holds, and what changed about it."""
    task = judged.after
    if task.over is not None:
        return {
            "kind": "reason",
            "reason_holds": False,
            "because": task.over.because,
            "outcome": task.over.outcome,
        }
    block: dict[str, Any] = {"kind": "reason", "reason_holds": True}
    if judged.claim is None:
        return block
    newest = judged.claim.newest.occasion
    values = newest.lasting
    if "category" in values:
        change = values.get("change")
        category_before = None
        if isinstance(change, str) and not change.startswith("new_"):
            category_before = change.partition("_to_")[0]
        block |= {
            "kind": change,
            "from": category_before,
            "to": values["category"],
            "score": values["score"],
            "previous_score": values.get("previous_score"),
            "falls_in_a_row": values.get("falls_in_a_row"),
            "response_id": newest.response_id,
        }
    return block


def _tie_next_answers(casework: Casework, court: Court, persons: Collection[Key], now: datetime) -> None:
    """The next score of a person belongs to the follow-ups about the one before, open and closed."""
    for task in casework.tasks():
        if (task.account_id, task.stakeholder_id) not in persons:
            continue
        answers = court.facts[task.account_id].answers.get(task.stakeholder_id or "", ())
        next_answer = next_answer_of(task, answers)
        if next_answer == task.next_answer:
            continue
        tied = replace(task, next_answer=next_answer)
        casework.amend(tied)
        change: dict[str, Any] = {"kind": "next_answer", "response_id": None, "score": None}
        change |= {"before": task.score, "result": None}
        cause = derived_uuid("next_answer", str(now))
        if next_answer is not None:
            change["response_id"] = next_answer.response_id
            change["score"] = next_answer.score
            change["result"] = next_answer.result
            cause = derived_uuid("next_answer", next_answer.response_id, str(next_answer.score))
        casework.retell(tied, cause, now, "answered_again", change)


def _retell_comments(casework: Casework, judged: Sequence[Judged], batch: Batch) -> None:
    """Send open follow-ups again whose comment came or changed after they were opened."""
    just_opened = set()
    for judgement in judged:
        if judgement.step is not None and judgement.step.entry.action == "opened":
            just_opened.add(judgement.after.follow_up_id)
    for task in casework.tasks():
        key = (task.account_id, task.response_id or "")
        if key in batch.comments and not task.is_closed and task.follow_up_id not in just_opened:
            event_id, at = batch.comments[key]
            casework.retell(task, event_id, at, "comment_received", {"kind": "comment"})
