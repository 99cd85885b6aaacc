"""Reconciles the follow-ups of an account with the desired ones: which open, change, end, go on or come back."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any
from uuid import UUID

from services.alerting.domain import escalation, lifecycle
from services.alerting.domain.arrangement import (
    Arrangement,
    DesiredTask,
    MatchedOccasion,
    OccasionKey,
    TaskKey,
    arrange,
    desired_tasks_of,
)
from services.alerting.domain.endings import ending_of
from services.alerting.domain.occasions import is_about_account, reason_for
from services.alerting.domain.people import assignment_for, informed_by, title_of
from services.alerting.domain.policy import Policy, policy_snapshot, rule_of
from services.alerting.domain.rule_facts import Facts
from services.alerting.domain.rules import Rule
from services.alerting.domain.severity import worse
from services.alerting.domain.tasks import SYSTEM, HistoryEntry, Task, TaskChange, TaskStep

COMES_BACK = timedelta(days=14)
"""For so long a follow-up that facts have closed is opened again when its reason holds again."""
MAX_REASONS = 50
"""A task of somebody who answers every day does not grow without end; the newest reasons are kept."""
DIRECTORY_MOVED = "the directory names another owner"


@dataclass(frozen=True, slots=True)
class AccountTasks:
    """The follow-ups of an account: those not closed, the last closed one of each key, how many of each were closed,
    and what those not closed rest on (kind, person, occasion).
    """

    open: dict[TaskKey, Task] = field(default_factory=dict)
    closed: dict[TaskKey, Task] = field(default_factory=dict)
    closed_count: dict[TaskKey, int] = field(default_factory=dict)
    occasion_keys: dict[UUID, frozenset[OccasionKey]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskUpdate:
    """The update of one follow-up: a step, or None where only its occasions have changed. `desired` and `taken_in` hold
    the new occasions; `desired` is None where the occasions are the same or the reason is over.
    """

    task: Task
    step: TaskStep | None
    desired: DesiredTask | None = None
    taken_in: tuple[DesiredTask, ...] = ()

    @property
    def after(self) -> Task:
        """The task after the step."""
        if self.step is None:
            return self.task
        return self.step.task


@dataclass(frozen=True)
class EvaluationSettings:
    """How accounts are evaluated. `new_id` gives the id of a new follow-up, from the account, the desired follow-up and
    how many of its key were closed before.
    """

    rules: tuple[Rule, ...]
    policy: Policy
    new_id: Callable[[str, DesiredTask, int], UUID]

    @cached_property
    def rules_of_accounts(self) -> list[Rule]:
        """The enabled rules whose follow-ups are about an account itself."""
        return [rule for rule in self.rules if rule.enabled and is_about_account(rule)]

    @cached_property
    def rules_of_people(self) -> list[Rule]:
        """The enabled rules whose follow-ups are about a person."""
        return [rule for rule in self.rules if rule.enabled and not is_about_account(rule)]


def evaluate_account(
    facts: Facts, existing: AccountTasks, settings: EvaluationSettings, *, may_open: bool = False
) -> list[TaskUpdate]:
    """Everything that follows for the follow-ups of an account from the facts of now. `may_open` says whether a state,
    such as a near renewal, may open a follow-up now: at the daily watch, when the class has changed, when the date was
    entered.
    """
    desired_tasks = [
        desired for desired in _desired_tasks(facts, existing, settings) if _stands(desired, facts, existing, may_open)
    ]
    return list(reconcile(facts, existing, arrange(desired_tasks), settings))


def reconcile(
    facts: Facts, existing: AccountTasks, arranged: Arrangement, settings: EvaluationSettings
) -> Iterator[TaskUpdate]:
    """The updates that bring the follow-ups in line with the desired ones: first those that end, then those that
    change or open, in the order in which messages about them are read.
    """
    ids = {key: _id_of(desired, facts, existing, settings) for key, desired in arranged.standing.items()}
    for key, task in existing.open.items():
        if key not in arranged.standing:
            host_id = None
            if key in arranged.host_of:
                host_id = ids.get(arranged.host_of[key])
            yield from _without_reason(task, facts, host_id, settings.policy)
    for key, desired in arranged.standing.items():
        taken_in = arranged.taken_in.get(key, ())
        if key in existing.open:
            yield from _with_reason(existing.open[key], desired, taken_in, facts, existing, settings.policy)
        elif (closed := _coming_back(key, facts, existing)) is not None:
            change = TaskChange(SYSTEM, facts.now, "; ".join(desired.newest.reasons))
            back = lifecycle.reopen_by_facts(closed, change)
            shown = _shown(back.task, desired, taken_in, facts, settings.policy)
            yield TaskUpdate(back.task, replace(back, task=replace(back.task, **shown)), desired, taken_in)
        else:
            task = _opened(ids[key], desired, taken_in, facts, settings.policy)
            entry = HistoryEntry("opened", SYSTEM, facts.now, 1, comment="; ".join(desired.newest.reasons))
            followed = existing.closed.get(key)
            if followed is not None and followed.closed_by == "facts":
                task = replace(task, linked_to=followed.follow_up_id)
            yield TaskUpdate(task, TaskStep(task, entry), desired, taken_in)


def _desired_tasks(facts: Facts, existing: AccountTasks, settings: EvaluationSettings) -> list[DesiredTask]:
    """The desired follow-ups of all rules. An open follow-up keeps the version of its rule that it was opened under;
    everything else is evaluated by the rules in force.
    """
    reasons = []
    opened_under: dict[str | None, list[Rule]] = {}
    for (stakeholder_id, _), task in existing.open.items():
        snapshot = rule_of(task.policy)
        if snapshot is not None:
            opened_under.setdefault(stakeholder_id, []).append(snapshot)
    for stakeholder_id in (None, *sorted(facts.answers.keys() | facts.invitations.keys())):
        if facts.is_gone(stakeholder_id):
            continue
        rules = settings.rules_of_people
        if stakeholder_id is None:
            rules = settings.rules_of_accounts
        if stakeholder_id in opened_under:
            rules = _with_snapshots(opened_under[stakeholder_id], rules, of_account=stakeholder_id is None)
        for rule in rules:
            reason = reason_for(rule, facts, stakeholder_id)
            if reason is not None:
                reasons.append(reason)
    return desired_tasks_of(reasons, facts.account.tier)


def _with_snapshots(snapshots: Sequence[Rule], in_force: Sequence[Rule], *, of_account: bool) -> list[Rule]:
    """The rules in force, some of them in the versions under which open follow-ups were opened."""
    replaced = {(rule.rule_id, rule.kind) for rule in snapshots}
    rules = [rule for rule in snapshots if is_about_account(rule) == of_account]
    return rules + [rule for rule in in_force if (rule.rule_id, rule.kind) not in replaced]


def _stands(desired: DesiredTask, facts: Facts, existing: AccountTasks, may_open: bool) -> bool:
    """Whether a desired follow-up exists already, or may be opened: because something happened lately, or because
    `may_open` lets a state open one now.
    """
    if desired.key in existing.open or _coming_back(desired.key, facts, existing) is not None:
        return True
    for matched in desired.occasions:
        at = matched.occasion.at
        if at is None and may_open:
            return True
        if at is not None and facts.is_recent(at):
            return True
    return False


def _coming_back(key: TaskKey, facts: Facts, existing: AccountTasks) -> Task | None:
    """The closed follow-up that is opened again when its reason holds again."""
    task = existing.closed.get(key)
    if task is None or task.closed_by != "facts" or task.closed_at is None:
        return None
    if facts.now - task.closed_at > COMES_BACK:
        return None
    return task


def _id_of(desired: DesiredTask, facts: Facts, existing: AccountTasks, settings: EvaluationSettings) -> UUID:
    """The id of the open follow-up or of the one that comes back, else a new id."""
    task = existing.open.get(desired.key) or _coming_back(desired.key, facts, existing)
    if task is not None:
        return task.follow_up_id
    return settings.new_id(facts.account.account_id, desired, existing.closed_count.get(desired.key, 0))


def _without_reason(task: Task, facts: Facts, host: UUID | None, policy: Policy) -> Iterator[TaskUpdate]:
    """A follow-up whose reason is over: it closes by itself where nobody has touched it, else it stays and says so. One
    that a person opened is over only when the customer is gone.
    """
    if task.is_by_hand and not facts.is_gone(task.stakeholder_id):
        yield from _moved(task, lifecycle.regain_reason(task, TaskChange(SYSTEM, facts.now)), facts, policy)
        return
    over = ending_of(task, facts, superseded=host is not None)
    change = TaskChange(SYSTEM, facts.now, over.because)
    if task.touched_at is None and not task.is_by_hand:
        yield TaskUpdate(task, lifecycle.close_by_facts(task, change, over, host))
        return
    yield from _moved(task, lifecycle.lose_reason(task, change, over), facts, policy)


def _with_reason(
    task: Task,
    desired: DesiredTask,
    taken_in: tuple[DesiredTask, ...],
    facts: Facts,
    existing: AccountTasks,
    policy: Policy,
) -> Iterator[TaskUpdate]:
    """The reason holds: the task says what is true now."""
    change = TaskChange(SYSTEM, facts.now, "; ".join(desired.newest.reasons))
    now = task
    regained = lifecycle.regain_reason(task, change)
    if regained is not None:
        now = regained.task
        yield TaskUpdate(now, regained)
    rested_on = existing.occasion_keys.get(task.follow_up_id, frozenset())
    values = _shown(now, desired, taken_in, facts, policy)
    if now.is_by_hand:
        values = _joined(now, desired, rested_on)
    action = "repeated"
    if desired.occasion_keys <= rested_on:
        action = "judged"
    step = lifecycle.amend(now, action, change, **values)
    if step is not None:
        now = step.task
    rests_on = desired.occasion_keys.union(*(inner.occasion_keys for inner in taken_in))
    if step is not None or rests_on != rested_on:
        yield TaskUpdate(now, step, desired, taken_in)
    yield from _moved(now, None, facts, policy)


def _moved(task: Task, step: TaskStep | None, facts: Facts, policy: Policy) -> Iterator[TaskUpdate]:
    """A step, and after it that of the directory, which may name another owner by now."""
    now = task
    if step is not None:
        now = step.task
        yield TaskUpdate(now, step)
    assignment = assignment_for(now.recipient, facts.account, policy.staff)
    change = TaskChange(SYSTEM, facts.now, DIRECTORY_MOVED)
    moved = lifecycle.follow_directory(now, change, assignment.owner, assignment.source)
    if moved is not None:
        yield TaskUpdate(moved.task, moved)


def _opened(
    follow_up_id: UUID, desired: DesiredTask, taken_in: tuple[DesiredTask, ...], facts: Facts, policy: Policy
) -> Task:
    """A new task for a desired follow-up, under the worst of its rules."""
    rule, account = _worst(desired).rule, facts.account
    assignment = assignment_for(rule.recipient, account, policy.staff)
    bare = Task(
        follow_up_id=follow_up_id,
        version=1,
        kind=desired.kind,
        title=rule.label,
        severity=desired.severity,
        state="open",
        account_id=account.account_id,
        stakeholder_id=desired.stakeholder_id,
        response_id=None,
        owner=assignment.owner,
        owner_source=assignment.source,
        recipient=rule.recipient,
        informed=(),
        due_at=facts.now,
        occurrences=1,
        reasons=(),
        inhibited=(),
        playbook=rule.playbook,
        opened_at=facts.now,
        opened_by=SYSTEM,
        updated_at=facts.now,
        policy=policy_snapshot(rule, policy),
    )
    shown = _shown(bare, desired, taken_in, facts, policy)
    shown["escalations"] = escalation.planned(shown["due_at"], rule.escalation, policy.calendar)
    return replace(bare, **shown)


def _shown(
    task: Task, desired: DesiredTask, taken_in: tuple[DesiredTask, ...], facts: Facts, policy: Policy
) -> dict[str, Any]:
    """The fields of a task by its occasions: severity of the worst, due time of the earliest, words of the newest."""
    newest, worst = desired.newest, _worst(desired)
    values = newest.occasion.values
    person = facts.people.get(desired.stakeholder_id or "")
    due = escalation.with_pauses(task, _due(task, desired))
    reasons = _reasons_of(desired.occasions)[-MAX_REASONS:]
    if task.owner_source != "assigned":
        reasons += assignment_for(task.recipient, facts.account, policy.staff).reasons
    next_answer = None
    if task.response_id == newest.occasion.response_id:
        next_answer = task.next_answer
    return {
        "title": title_of(newest.rule.label, values, facts.account, person),
        "severity": desired.severity,
        "due_at": due,
        "escalations": escalation.levels_due_by(task, due),
        "response_id": newest.occasion.response_id,
        "score": _number(values.get("score")),
        "touchpoint": _text(values.get("touchpoint")),
        "product": _text(values.get("product")),
        "survey_type": _text(values.get("survey_type")),
        "nps_kind": _text(values.get("nps_kind")),
        "occurrences": len(desired.occasions),
        "reasons": reasons,
        "inhibited": tuple(dict.fromkeys(inner.kind for inner in taken_in)),
        "playbook": worst.rule.playbook,
        "informed": informed_by(worst.rule.informs, facts.account, policy.staff),
        "next_answer": next_answer,
    }


def _joined(task: Task, desired: DesiredTask, rests_on: frozenset[OccasionKey]) -> dict[str, Any]:
    """A task opened by hand takes a reason of its kind as an occurrence: it may only get worse."""
    new = [matched for matched in desired.occasions if desired.occasion_key(matched) not in rests_on]
    if not new:
        return {}
    severity, due = task.severity, task.due_at
    for matched in new:
        severity = worse(severity, matched.severity)
        due = min(due, escalation.with_pauses(task, _due_of(task, matched)))
    return {
        "severity": severity,
        "due_at": due,
        "escalations": escalation.levels_due_by(task, due),
        "occurrences": task.occurrences + len(new),
        "reasons": tuple(dict.fromkeys(task.reasons + _reasons_of(new)))[-MAX_REASONS:],
        "response_id": new[-1].occasion.response_id or task.response_id,
    }


def _reasons_of(occasions: Iterable[MatchedOccasion]) -> tuple[str, ...]:
    """The sentences of the occasions, each once."""
    return tuple(dict.fromkeys(chain.from_iterable(matched.reasons for matched in occasions)))


def _due(task: Task, desired: DesiredTask) -> datetime:
    return min(_due_of(task, matched) for matched in desired.occasions)


def _due_of(task: Task, matched: MatchedOccasion) -> datetime:
    """Counts from when the occasion became known; for a state, from the opening of the task."""
    return escalation.calendar_of(task.policy).add(matched.occasion.since or task.opened_at, matched.rule.due)


def _worst(desired: DesiredTask) -> MatchedOccasion:
    """The newest of the worst occasions."""
    return next(matched for matched in reversed(desired.occasions) if matched.severity == desired.severity)


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value
