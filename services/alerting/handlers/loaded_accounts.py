"""What an evaluation needs of its accounts: their facts, their follow-ups and the rules, in few statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.alerting.domain.default_rules import ANSWERED
from services.alerting.domain.occasions import is_about_account
from services.alerting.domain.people import Account, PersonKey
from services.alerting.domain.reconciliation import COMES_BACK, AccountTasks
from services.alerting.domain.rule_facts import Facts
from services.alerting.domain.rules import Rule
from services.alerting.domain.segments import Shift
from services.alerting.domain.tasks import Task
from services.alerting.handlers.resources import Resources
from services.alerting.store.account_facts import KnownAccount, read_accounts, with_people
from services.alerting.store.facts import SubjectKey
from services.alerting.store.occasions import TaskOccasion, occasions_of
from services.alerting.store.tasks import last_closed, tasks_at_hand
from shared.db.transaction import ReadTx


@dataclass(frozen=True, slots=True)
class LoadedAccounts:
    """The accounts of one evaluation: their facts, their follow-ups, and the rules. `have_tasks`: whether any of the
    accounts has ever had a follow-up.
    """

    rules: tuple[Rule, ...] = ()
    facts: Mapping[str, Facts] = field(default_factory=dict)
    existing: Mapping[str, AccountTasks] = field(default_factory=dict)
    tasks: Sequence[Task] = ()
    have_tasks: bool = False


async def load_accounts(
    tx: ReadTx,
    resources: Resources,
    people: Collection[SubjectKey],
    rules: Sequence[Rule],
    shifts: Mapping[str, Shift | None] = {},
) -> LoadedAccounts:
    """Read the facts and the follow-ups of the accounts. A caller that writes holds the locks of the accounts. `shifts`
    is there for segments, which stand in the place of accounts.
    """
    now = resources.clock.now()
    bare = Facts(Account(""), now, resources.policy.calendar, burst=resources.burst)
    accounts = await read_accounts(tx, {account_id for account_id, _ in people}, bare)
    have_tasks = any(known.has_tasks for known in accounts.values())
    persons = {(account_id, person) for account_id, person in people if person is not None}
    tasks: list[Task] = []
    occasions_by_task: dict[UUID, list[TaskOccasion]] = {}
    if have_tasks:
        tasks = await tasks_at_hand(tx, accounts, now - COMES_BACK, persons)
        occasions_by_task = await occasions_of(tx, [task.follow_up_id for task in tasks])
    persons |= _persons_behind(tasks, occasions_by_task)
    persons |= _recent_detractors(accounts, _burst_threshold(rules, tasks))
    known_facts = [replace(known.facts, shift=shifts.get(name)) for name, known in accounts.items()]
    facts = await with_people(tx, known_facts, persons)
    closed: list[tuple[Task, int]] = []
    if have_tasks:
        closed = await last_closed(tx, [*persons, *((account_id, None) for account_id in accounts)])
    existing = _tasks_by_account(facts, tasks, occasions_by_task, closed)
    return LoadedAccounts(tuple(rules), facts, existing, tasks, have_tasks)


def _persons_behind(tasks: Iterable[Task], occasions_by_task: Mapping[UUID, Iterable[TaskOccasion]]) -> set[PersonKey]:
    """The people whom follow-ups are about, and those whose occasions they rest on."""
    persons: set[PersonKey] = set()
    for task in tasks:
        stakeholder_ids = {row.stakeholder_id for row in occasions_by_task.get(task.follow_up_id, ())}
        for stakeholder_id in stakeholder_ids | {task.stakeholder_id}:
            if stakeholder_id is not None:
                persons.add((task.account_id, stakeholder_id))
    return persons


def _recent_detractors(accounts: Mapping[str, KnownAccount], least: int | None) -> set[PersonKey]:
    """All recent detractors of accounts with at least so many; nobody where it is None."""
    persons: set[PersonKey] = set()
    for account_id, known in accounts.items():
        if least is not None and len(known.detractors) >= least:
            persons.update((account_id, person) for person in known.detractors)
    return persons


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
    accounts: Iterable[str],
    tasks: Iterable[Task],
    occasions_by_task: Mapping[UUID, Iterable[TaskOccasion]],
    closed: Iterable[tuple[Task, int]],
) -> dict[str, AccountTasks]:
    existing = {account_id: AccountTasks() for account_id in accounts}
    for task in tasks:
        if not task.is_closed:
            existing[task.account_id].open[task.stakeholder_id, task.kind] = task
        rows = occasions_by_task.get(task.follow_up_id, ())
        holding = frozenset((row.kind, row.stakeholder_id, row.occasion) for row in rows if row.holds)
        existing[task.account_id].occasion_keys[task.follow_up_id] = holding
    for task, count in closed:
        existing[task.account_id].closed[task.stakeholder_id, task.kind] = task
        existing[task.account_id].closed_count[task.stakeholder_id, task.kind] = count
    return existing
