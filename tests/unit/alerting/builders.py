"""Small things to build tests of alerting from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5
from zoneinfo import ZoneInfo

from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.arrangement import DesiredTask, OccasionKey, TaskKey
from services.alerting.domain.default_rules import DEFAULT_RULES
from services.alerting.domain.people import Account, Answer, Staff, Stakeholder
from services.alerting.domain.policy import Policy
from services.alerting.domain.reconciliation import AccountTasks, EvaluationSettings, TaskUpdate, evaluate_account
from services.alerting.domain.rule_facts import Facts
from services.alerting.domain.rules import Rule
from services.alerting.domain.tasks import Contact, Task, TaskStep
from shared.calendar import BusinessCalendar

MONDAY_10 = datetime(2026, 6, 8, 10, 0, tzinfo=UTC)
OWNER = Contact("Olivia Owner", "olivia@supplier.example")
SPONSOR = Contact("Sam Sponsor", "sam@supplier.example")
NOBODY_ELSE = Contact("Front Desk", "desk@supplier.example")
CALENDAR = BusinessCalendar(ZoneInfo("UTC"))
POLICY = Policy(CALENDAR, Staff(NOBODY_ELSE))
ACME = Account("acme", name="Acme", tier="key", owner=OWNER, sponsor=SPONSOR)
JANE = Stakeholder("acme", "jane", name="Jane Doe", type="decision_maker")
BOB = Stakeholder("acme", "bob", name="Bob Roe", type="user")
DAY = timedelta(days=1)
FACTS = Facts(ACME, MONDAY_10, CALENDAR, people={"jane": JANE, "bob": BOB})


def answer(name: str, score: int, days_ago: float = 0, person: str = "jane", **changes: Any) -> StoredAnswer:
    """An NPS answer given, and recorded, so many days before Monday at ten."""
    recorded_after = changes.pop("recorded_after", timedelta())
    at = MONDAY_10 - timedelta(days=days_ago)
    values: dict[str, Any] = {"survey_type": "nps", "nps_kind": "relationship"} | changes
    given = Answer("acme", name, person, score=score, answered_at=at, **values)
    return StoredAnswer(given, given, at + recorded_after)


def scores(*given: int, person: str = "jane", **changes: Any) -> list[StoredAnswer]:
    """Answers on the days up to Monday, the last one on Monday; named r1, r2 and so on."""
    last = len(given)
    return [
        answer(f"{person}-r{number}", score, last - number, person, **changes)
        for number, score in enumerate(given, start=1)
    ]


def facts_of(*answers: StoredAnswer, base: Facts = FACTS, **changes: Any) -> Facts:
    """The facts in which these answers are all that there are."""
    by_person: dict[str, list[StoredAnswer]] = {}
    for stored in answers:
        by_person.setdefault(stored.live.stakeholder_id, []).append(stored)
    people = dict(base.people) | {
        person: Stakeholder("acme", person) for person in by_person if person not in base.people
    }
    known: dict[str, Any] = {"answers": by_person, "people": people}
    return replace(base, **known | changes)


@dataclass
class Board:
    """The follow-ups of Acme, evaluated whenever facts change; what people do is put in between."""

    rules: Sequence[Rule] = DEFAULT_RULES
    tasks: dict[UUID, Task] = field(default_factory=dict)
    occasion_keys: dict[UUID, set[OccasionKey]] = field(default_factory=dict)
    settled: set[OccasionKey] = field(default_factory=set)
    steps: list[TaskStep] = field(default_factory=list)

    def evaluate(self, facts: Facts, *, may_open: bool = False) -> list[TaskUpdate]:
        """Evaluate these facts and take the updates; returns those that changed a task."""
        known = replace(facts, settled=frozenset(self.settled))
        settings = EvaluationSettings(tuple(self.rules), POLICY, _name)
        updates = evaluate_account(known, self._account_tasks(), settings, may_open=may_open)
        for update in updates:
            if update.step is not None:
                self.tasks[update.after.follow_up_id] = update.after
                self.steps.append(update.step)
            if update.desired is not None:
                desired_tasks = (update.desired, *update.taken_in)
                self.occasion_keys[update.after.follow_up_id] = {
                    key for desired in desired_tasks for key in desired.occasion_keys
                }
        return [update for update in updates if update.step is not None]

    def take(self, step: TaskStep | None) -> Task:
        """What a person does with a task."""
        assert step is not None
        task = step.task
        self.tasks[task.follow_up_id] = task
        if task.is_closed:
            self.settled |= self.occasion_keys.get(task.follow_up_id, set())
        return task

    def one(self, kind: str, person: str | None = "jane") -> Task:
        """The only task of this kind about somebody."""
        (task,) = [task for task in self.tasks.values() if (task.kind, task.stakeholder_id) == (kind, person)]
        return task

    def open(self) -> set[tuple[str | None, str]]:
        """Who has which kind of follow-up open."""
        return {(task.stakeholder_id, task.kind) for task in self.tasks.values() if not task.is_closed}

    def _account_tasks(self) -> AccountTasks:
        open_tasks: dict[TaskKey, Task] = {}
        closed: dict[TaskKey, Task] = {}
        counts: dict[TaskKey, int] = {}
        for task in sorted(self.tasks.values(), key=lambda task: (task.closed_at or MONDAY_10, task.opened_at)):
            key = (task.stakeholder_id, task.kind)
            if task.is_closed:
                closed[key] = task
                counts[key] = counts.get(key, 0) + 1
            else:
                open_tasks[key] = task
        return AccountTasks(
            open_tasks,
            closed,
            counts,
            {follow_up_id: frozenset(occasion_keys) for follow_up_id, occasion_keys in self.occasion_keys.items()},
        )


def _name(account_id: str, desired: DesiredTask, closed_before: int) -> UUID:
    first = desired.occasions[0].occasion.id
    return uuid5(NAMESPACE_OID, f"{desired.kind} {account_id} {desired.stakeholder_id} {first} {closed_before}")


def opened(
    *answers: StoredAnswer, account: Account = ACME, rules: Iterable[Rule] = DEFAULT_RULES, **changes: Any
) -> Task:
    """The one task that the rules open for some answers; a deep detractor if nothing is said."""
    board = Board(tuple(rules))
    board.evaluate(facts_of(*(answers or (answer("r1", 2),)), base=replace(FACTS, account=account)))
    (task,) = board.tasks.values()
    return replace(task, **changes)
