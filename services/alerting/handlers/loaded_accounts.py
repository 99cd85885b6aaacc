"""What an evaluation needs of its accounts: their facts, their follow-ups and the rules, in few statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.alerting.domain.default_rules import ANSWERED
from services.alerting.domain.occasions import is_about_account
from services.alerting.domain.people import Account, PersonKey, SubjectKey, accounts_of, persons_of, themselves
from services.alerting.domain.reconciliation import COMES_BACK, AccountTasks
from services.alerting.domain.rule_facts import Facts
from services.alerting.domain.rules import Rule
from services.alerting.domain.segments import Shift
from services.alerting.domain.tasks import Task
from services.alerting.handlers.resources import Resources
from services.alerting.store.account_facts import KnownAccount, read_accounts, with_people
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
    accounts = await read_accounts(tx, accounts_of(people), bare)
    have_tasks = any(known.has_tasks for known in accounts.values())
    persons = persons_of(people)
    tasks: list[Task] = []
    occasions_by_task: dict[UUID, list[TaskOccasion]] = {}
    if have_tasks:
        tasks = await tasks_at_hand(tx, accounts, now - COMES_BACK, persons)
        occasions_by_task = await occasions_of(tx, [task.follow_up_id for task in tasks])
    persons |= _persons_behind(tasks, occasions_by_task)
    persons |= _recent_detractors(accounts, _burst_threshold(rules, tasks))
    facts = await with_people(tx, _with_shifts(accounts, shifts), persons)
    existing = {account_id: AccountTasks() for account_id in facts}
    _add_tasks(existing, tasks, occasions_by_task)
    if have_tasks:
        _add_closed(existing, await last_closed(tx, persons | themselves(accounts)))
    return LoadedAccounts(tuple(rules), facts, existing, tasks, have_tasks)


def _with_shifts(accounts: Mapping[str, KnownAccount], shifts: Mapping[str, Shift | None]) -> list[Facts]:
    facts = []
    for account_id, known in accounts.items():
        facts.append(replace(known.facts, shift=shifts.get(account_id)))
    return facts


def _persons_behind(tasks: Iterable[Task], occasions_by_task: Mapping[UUID, Iterable[TaskOccasion]]) -> set[PersonKey]:
    """The people whom follow-ups are about, and those whose occasions they rest on."""
    persons: set[PersonKey] = set()
    for task in tasks:
        persons |= persons_of([(task.account_id, task.stakeholder_id)])
        for occasion in occasions_by_task.get(task.follow_up_id, ()):
            persons |= persons_of([(task.account_id, occasion.stakeholder_id)])
    return persons


def _recent_detractors(accounts: Mapping[str, KnownAccount], least: int | None) -> set[PersonKey]:
    """All recent detractors of accounts with at least so many; nobody where it is None."""
    persons: set[PersonKey] = set()
    if least is None:
        return persons
    for account_id, known in accounts.items():
        if len(known.detractors) >= least:
            for person in known.detractors:
                persons.add((account_id, person))
    return persons


def _burst_threshold(rules: Sequence[Rule], tasks: Sequence[Task]) -> int | None:
    """From how many recent detractors on everybody at the account is read: the least number that a rule about bursts
    needs, and 1 while a follow-up about several people is open. None where no rule counts detractors.
    """
    for task in tasks:
        if task.stakeholder_id is None and _event_of(task) == ANSWERED:
            return 1
    needed = []
    for rule in rules:
        if rule.enabled and rule.event == ANSWERED and is_about_account(rule):
            needed.append(_fewest_detractors(rule))
    return min(needed, default=None)


def _fewest_detractors(rule: Rule) -> int:
    """From how many recent detractors on a rule about bursts may hold."""
    fewest = 1
    for condition in rule.tests("burst"):
        if condition.operator == "min":
            fewest = max(fewest, int(condition.value))
    return fewest


def _event_of(task: Task) -> str | None:
    event: str | None = (task.policy.get("rule") or {}).get("event")
    return event


def _add_tasks(
    existing: Mapping[str, AccountTasks],
    tasks: Iterable[Task],
    occasions_by_task: Mapping[UUID, Iterable[TaskOccasion]],
) -> None:
    for task in tasks:
        of_account = existing[task.account_id]
        if not task.is_closed:
            of_account.open[task.stakeholder_id, task.kind] = task
        holding = set()
        for occasion in occasions_by_task.get(task.follow_up_id, ()):
            if occasion.holds:
                holding.add((occasion.kind, occasion.stakeholder_id, occasion.occasion))
        of_account.occasion_keys[task.follow_up_id] = frozenset(holding)


def _add_closed(existing: Mapping[str, AccountTasks], closed: Iterable[tuple[Task, int]]) -> None:
    """The task that was closed last of each kind, with how many were."""
    for task, count in closed:
        of_account = existing[task.account_id]
        of_account.closed[task.stakeholder_id, task.kind] = task
        of_account.closed_count[task.stakeholder_id, task.kind] = count
