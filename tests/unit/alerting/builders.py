"""Small things to build tests of alerting from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5
from zoneinfo import ZoneInfo

from services.alerting.domain.answers import Kept
from services.alerting.domain.arrangement import Claim, Key, Rest
from services.alerting.domain.calendar import BusinessCalendar
from services.alerting.domain.default_rules import DEFAULT_RULES
from services.alerting.domain.facts import Facts
from services.alerting.domain.people import Account, Answer, Staff, Stakeholder
from services.alerting.domain.policy import Policy
from services.alerting.domain.reconciliation import Desk, Judged, Judgement, judge_account
from services.alerting.domain.rules import Rule
from services.alerting.domain.tasks import Contact, Step, Task

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


def answer(name: str, score: int, days_ago: float = 0, person: str = "jane", **changes: Any) -> Kept:
    """An NPS answer given, and recorded, so many days before Monday at ten."""
    recorded_after = changes.pop("recorded_after", timedelta())
    at = MONDAY_10 - timedelta(days=days_ago)
    values: dict[str, Any] = {"survey_type": "nps", "nps_kind": "relationship"} | changes
    given = Answer("acme", name, person, score=score, answered_at=at, **values)
    return Kept(given, given, at + recorded_after)


def scores(*given: int, person: str = "jane", **changes: Any) -> list[Kept]:
    """Answers on the days up to Monday, the last one on Monday; named r1, r2 and so on."""
    last = len(given)
    return [
        answer(f"{person}-r{number}", score, last - number, person, **changes)
        for number, score in enumerate(given, start=1)
    ]


def facts_of(*answers: Kept, base: Facts = FACTS, **changes: Any) -> Facts:
    """The facts in which these answers are all that there are."""
    by_person: dict[str, list[Kept]] = {}
    for kept in answers:
        by_person.setdefault(kept.live.stakeholder_id, []).append(kept)
    people = dict(base.people) | {one: Stakeholder("acme", one) for one in by_person if one not in base.people}
    known: dict[str, Any] = {"answers": by_person, "people": people}
    return replace(base, **known | changes)


@dataclass
class Board:
    """The follow-ups of Acme, judged again and again as facts change; what people do is put in between."""

    rules: Sequence[Rule] = DEFAULT_RULES
    tasks: dict[UUID, Task] = field(default_factory=dict)
    rests: dict[UUID, set[Rest]] = field(default_factory=dict)
    settled: set[Rest] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)

    def judge(self, facts: Facts, *, may_open: bool = False) -> list[Judged]:
        """Judge by these facts and take all that follows; answers what changed."""
        known = replace(facts, settled=frozenset(self.settled))
        judgement = Judgement(tuple(self.rules), POLICY, _name, may_open)
        judged = judge_account(known, self._desk(), judgement)
        for one in judged:
            if one.step is not None:
                self.tasks[one.after.follow_up_id] = one.after
                self.steps.append(one.step)
            if one.claim is not None:
                claims = (one.claim, *one.taken_in)
                self.rests[one.after.follow_up_id] = {rest for claim in claims for rest in claim.rests}
        return [one for one in judged if one.step is not None]

    def take(self, step: Step | None) -> Task:
        """What a person does with a task."""
        assert step is not None
        task = step.task
        self.tasks[task.follow_up_id] = task
        if task.is_closed:
            self.settled |= self.rests.get(task.follow_up_id, set())
        return task

    def one(self, kind: str, person: str | None = "jane") -> Task:
        """The only task of this kind about somebody."""
        (task,) = [task for task in self.tasks.values() if (task.kind, task.stakeholder_id) == (kind, person)]
        return task

    def open(self) -> set[tuple[str | None, str]]:
        """Who has which kind of follow-up open."""
        return {(task.stakeholder_id, task.kind) for task in self.tasks.values() if not task.is_closed}

    def _desk(self) -> Desk:
        open_tasks: dict[Key, Task] = {}
        closed: dict[Key, Task] = {}
        counts: dict[Key, int] = {}
        for task in sorted(self.tasks.values(), key=lambda task: (task.closed_at or MONDAY_10, task.opened_at)):
            key = (task.stakeholder_id, task.kind)
            if task.is_closed:
                closed[key] = task
                counts[key] = counts.get(key, 0) + 1
            else:
                open_tasks[key] = task
        return Desk(open_tasks, closed, counts, {one: frozenset(rests) for one, rests in self.rests.items()})


def _name(account_id: str, claim: Claim, closed_before: int) -> UUID:
    first = claim.held[0].occasion.id
    return uuid5(NAMESPACE_OID, f"{claim.kind} {account_id} {claim.stakeholder_id} {first} {closed_before}")


def opened(*answers: Kept, account: Account = ACME, rules: Iterable[Rule] = DEFAULT_RULES, **changes: Any) -> Task:
    """The one task that the rules open for some answers; a deep detractor if nothing is said."""
    board = Board(tuple(rules))
    board.judge(facts_of(*(answers or (answer("r1", 2),)), base=replace(FACTS, account=account)))
    (task,) = board.tasks.values()
    return replace(task, **changes)
