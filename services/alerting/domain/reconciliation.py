"""From the reasons of now to the follow-ups of an account: what opens, changes, ends, goes on or comes back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from services.alerting.domain import escalation, lifecycle
from services.alerting.domain.arrangement import Arrangement, Claim, Held, Key, Rest, arrange, claims_of
from services.alerting.domain.endings import ending_of
from services.alerting.domain.facts import Facts
from services.alerting.domain.occasions import is_about_account, judge
from services.alerting.domain.people import addressed_to, informed_by, title_of
from services.alerting.domain.policy import Policy, policy_snapshot, rule_of
from services.alerting.domain.rules import Rule
from services.alerting.domain.severity import worse
from services.alerting.domain.tasks import SYSTEM, Change, HistoryEntry, Step, Task

COMES_BACK = timedelta(days=14)
"""For so long a follow-up that facts have closed is opened again when its reason holds again."""
MAX_REASONS = 50
"""A task of somebody who answers every day does not grow without end; the newest reasons are kept."""
DIRECTORY_MOVED = "the directory names another owner"


@dataclass(frozen=True, slots=True)
class Desk:
    """The follow-ups of an account: those not closed, the last closed one of each key, how many of each were closed,
    and what those not closed rest on (kind, person, occasion).
    """

    open: Mapping[Key, Task] = field(default_factory=dict)
    closed: Mapping[Key, Task] = field(default_factory=dict)
    closed_count: Mapping[Key, int] = field(default_factory=dict)
    resting_on: Mapping[UUID, frozenset[Rest]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of one follow-up: a step, or None where only what it rests on is other. `claim` is what it says now
    and `taken_in` what stands behind it, both anew; None where it rests on the same or its reason is over.
    """

    task: Task
    step: Step | None
    claim: Claim | None = None
    taken_in: tuple[Claim, ...] = ()

    @property
    def after(self) -> Task:
        """The task after the step."""
        if self.step is None:
            return self.task
        return self.step.task


@dataclass(frozen=True, slots=True)
class Judgement:
    """How an account is judged. `may_open` says whether what is so rather than happens may open a follow-up now:
    at the daily watch, when the class has changed, when the date was entered. `name` gives the id of the n-th follow-up
    of a kind about somebody that begins with an occasion.
    """

    rules: tuple[Rule, ...]
    policy: Policy
    name: Callable[[str, Claim, int], UUID]
    may_open: bool = False


def judge_account(facts: Facts, desk: Desk, judgement: Judgement) -> list[Judged]:
    """Everything that follows for the follow-ups of an account from the facts of now."""
    claims = [claim for claim in _claims(facts, desk, judgement) if _stands(claim, facts, desk, judgement.may_open)]
    return list(reconcile(facts, desk, arrange(claims), judgement))


def reconcile(facts: Facts, desk: Desk, arranged: Arrangement, judgement: Judgement) -> Iterator[Judged]:
    """The steps that bring the follow-ups in line with what stands: first what ends, then what changes or opens, so
    that the order of messages is that of thinking.
    """
    ids = {key: _id_of(claim, facts, desk, judgement) for key, claim in arranged.standing.items()}
    for key, task in desk.open.items():
        if key not in arranged.standing:
            host_id = None
            if key in arranged.host_of:
                host_id = ids.get(arranged.host_of[key])
            yield from _without_reason(task, facts, host_id, judgement.policy)
    for key, claim in arranged.standing.items():
        taken_in = arranged.taken_in.get(key, ())
        if key in desk.open:
            yield from _with_reason(desk.open[key], claim, taken_in, facts, desk, judgement.policy)
        elif (closed := _coming_back(key, facts, desk)) is not None:
            change = Change(SYSTEM, facts.now, "; ".join(claim.newest.reasons))
            back = lifecycle.reopen_by_facts(closed, change)
            shown = _shown(back.task, claim, taken_in, facts, judgement.policy)
            yield Judged(back.task, replace(back, task=replace(back.task, **shown)), claim, taken_in)
        else:
            task = _opened(ids[key], claim, taken_in, facts, judgement.policy)
            entry = HistoryEntry("opened", SYSTEM, facts.now, 1, comment="; ".join(claim.newest.reasons))
            followed = desk.closed.get(key)
            if followed is not None and followed.closed_by == "facts":
                task = replace(task, linked_to=followed.follow_up_id)
            yield Judged(task, Step(task, entry), claim, taken_in)


def _claims(facts: Facts, desk: Desk, judgement: Judgement) -> list[Claim]:
    """The claims of all rules: for an open follow-up its rule as it was when the follow-up was opened, in the place of
    today's version of it; for the rest the rules in force.
    """
    reasons = []
    opened_under: dict[str | None, list[Rule]] = {}
    for (stakeholder_id, _), task in desk.open.items():
        snapshot = rule_of(task.policy)
        if snapshot is not None:
            opened_under.setdefault(stakeholder_id, []).append(snapshot)
    for stakeholder_id in (None, *sorted(facts.answers.keys() | facts.invitations.keys())):
        own = opened_under.get(stakeholder_id, [])
        replaced = {(rule.rule_id, rule.kind) for rule in own}
        in_force = [rule for rule in judgement.rules if rule.enabled and (rule.rule_id, rule.kind) not in replaced]
        for rule in (*own, *in_force):
            if (stakeholder_id is None) == is_about_account(rule):
                reasons.append(judge(rule, facts, stakeholder_id))
    return claims_of(filter(None, reasons), facts.account.tier)


def _stands(claim: Claim, facts: Facts, desk: Desk, may_open: bool) -> bool:
    """Whether a claim has a follow-up, or may open one: because something happened lately, or, where something is so
    rather than happens, because that may open one now.
    """
    if claim.key in desk.open or _coming_back(claim.key, facts, desk) is not None:
        return True
    for held in claim.held:
        at = held.occasion.at
        if at is None and may_open:
            return True
        if at is not None and facts.is_recent(at):
            return True
    return False


def _coming_back(key: Key, facts: Facts, desk: Desk) -> Task | None:
    """The closed follow-up that is opened again when its reason holds again."""
    task = desk.closed.get(key)
    if task is None or task.closed_by != "facts" or task.closed_at is None:
        return None
    if facts.now - task.closed_at > COMES_BACK:
        return None
    return task


def _id_of(claim: Claim, facts: Facts, desk: Desk, judgement: Judgement) -> UUID:
    """The id of a claim's follow-up: that of the open one or of the one that comes back, else a new one."""
    task = desk.open.get(claim.key) or _coming_back(claim.key, facts, desk)
    if task is not None:
        return task.follow_up_id
    return judgement.name(facts.account.account_id, claim, desk.closed_count.get(claim.key, 0))


def _without_reason(task: Task, facts: Facts, host: UUID | None, policy: Policy) -> Iterator[Judged]:
    """A follow-up whose reason is over: it closes by itself where nobody has touched it, else it stays and says so. One
    that a person opened is over only when the customer is gone.
    """
    if task.is_by_hand and not facts.is_gone(task.stakeholder_id):
        yield from _moved(task, lifecycle.regain_reason(task, Change(SYSTEM, facts.now)), facts, policy)
        return
    over = ending_of(task, facts, superseded=host is not None)
    change = Change(SYSTEM, facts.now, over.because)
    if task.touched_at is None and not task.is_by_hand:
        yield Judged(task, lifecycle.close_by_facts(task, change, over, host))
        return
    yield from _moved(task, lifecycle.lose_reason(task, change, over), facts, policy)


def _with_reason(
    task: Task, claim: Claim, taken_in: tuple[Claim, ...], facts: Facts, desk: Desk, policy: Policy
) -> Iterator[Judged]:
    """The reason holds: the task says what is true now."""
    change = Change(SYSTEM, facts.now, "; ".join(claim.newest.reasons))
    now = task
    regained = lifecycle.regain_reason(task, change)
    if regained is not None:
        now = regained.task
        yield Judged(now, regained)
    rested_on = desk.resting_on.get(task.follow_up_id, frozenset())
    values = _shown(now, claim, taken_in, facts, policy)
    if now.is_by_hand:
        values = _joined(now, claim, rested_on)
    action = "repeated"
    if claim.rests <= rested_on:
        action = "judged"
    step = lifecycle.amend(now, action, change, **values)
    if step is not None:
        now = step.task
    rests_on = claim.rests.union(*(inner.rests for inner in taken_in))
    if step is not None or rests_on != rested_on:
        yield Judged(now, step, claim, taken_in)
    yield from _moved(now, None, facts, policy)


def _moved(task: Task, step: Step | None, facts: Facts, policy: Policy) -> Iterator[Judged]:
    """A step, and after it that of the directory, which may name another owner by now."""
    now = task
    if step is not None:
        now = step.task
        yield Judged(now, step)
    address = addressed_to(now.recipient, facts.account, policy.staff)
    change = Change(SYSTEM, facts.now, DIRECTORY_MOVED)
    moved = lifecycle.follow_directory(now, change, address.owner, address.source)
    if moved is not None:
        yield Judged(moved.task, moved)


def _opened(follow_up_id: UUID, claim: Claim, taken_in: tuple[Claim, ...], facts: Facts, policy: Policy) -> Task:
    """The task that a claim asks for, under the worst of its rules."""
    rule, account = _worst(claim).rule, facts.account
    address = addressed_to(rule.recipient, account, policy.staff)
    bare = Task(
        follow_up_id=follow_up_id,
        version=1,
        kind=claim.kind,
        title=rule.label,
        severity=claim.severity,
        state="open",
        account_id=account.account_id,
        stakeholder_id=claim.stakeholder_id,
        response_id=None,
        owner=address.owner,
        owner_source=address.source,
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
    shown = replace(bare, **_shown(bare, claim, taken_in, facts, policy))
    return replace(shown, escalations=escalation.planned(shown.due_at, rule.escalation, policy.calendar))


def _shown(task: Task, claim: Claim, taken_in: tuple[Claim, ...], facts: Facts, policy: Policy) -> dict[str, Any]:
    """What a task says of its claim: severity of the worst occasion, due time of the earliest, words of the newest."""
    newest, worst = claim.newest, _worst(claim)
    values = newest.occasion.values
    person = facts.people.get(claim.stakeholder_id or "")
    due = escalation.with_pauses(task, _due(task, claim))
    reasons = _reasons_of(claim.held)[-MAX_REASONS:]
    if task.owner_source != "assigned":
        reasons += addressed_to(task.recipient, facts.account, policy.staff).reasons
    next_answer = None
    if task.response_id == newest.occasion.response_id:
        next_answer = task.next_answer
    return {
        "title": title_of(newest.rule.label, values, facts.account, person),
        "severity": claim.severity,
        "due_at": due,
        "escalations": escalation.due_by(task, due),
        "response_id": newest.occasion.response_id,
        "score": _number(values.get("score")),
        "touchpoint": _text(values.get("touchpoint")),
        "product": _text(values.get("product")),
        "survey_type": _text(values.get("survey_type")),
        "nps_kind": _text(values.get("nps_kind")),
        "occurrences": len(claim.held),
        "reasons": reasons,
        "inhibited": tuple(dict.fromkeys(inner.kind for inner in taken_in)),
        "playbook": worst.rule.playbook,
        "informed": informed_by(worst.rule.informs, facts.account, policy.staff),
        "next_answer": next_answer,
    }


def _joined(task: Task, claim: Claim, rests_on: frozenset[Rest]) -> dict[str, Any]:
    """A task opened by hand takes a reason of its kind as an occurrence: it may only get worse."""
    new = [held for held in claim.held if claim.rest_of(held) not in rests_on]
    if not new:
        return {}
    severity, due = task.severity, task.due_at
    for held in new:
        severity = worse(severity, held.severity)
        due = min(due, escalation.with_pauses(task, _due_of(task, held)))
    return {
        "severity": severity,
        "due_at": due,
        "escalations": escalation.due_by(task, due),
        "occurrences": task.occurrences + len(new),
        "reasons": tuple(dict.fromkeys(task.reasons + _reasons_of(new)))[-MAX_REASONS:],
        "response_id": new[-1].occasion.response_id or task.response_id,
    }


def _reasons_of(occasions: Iterable[Held]) -> tuple[str, ...]:
    """The sentences of the occasions, each once."""
    return tuple(dict.fromkeys(chain.from_iterable(held.reasons for held in occasions)))


def _due(task: Task, claim: Claim) -> datetime:
    return min(_due_of(task, held) for held in claim.held)


def _due_of(task: Task, held: Held) -> datetime:
    """From when it became known; for what is so rather than happens, from the opening of the task."""
    return escalation.calendar_of(task.policy).add(held.occasion.since or task.opened_at, held.rule.due)


def _worst(claim: Claim) -> Held:
    """The newest of the worst occasions."""
    return next(held for held in reversed(claim.held) if held.severity == claim.severity)


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value
