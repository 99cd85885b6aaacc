"""From the reasons of now to the follow-ups of an account: what opens, changes, ends, goes on or comes back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
from services.alerting.domain.severity import rank
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
        """The task as it is then."""
        return self.step.task if self.step else self.task


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
    ids = {
        key: desk.open[key].follow_up_id if key in desk.open else _id_of(claim, facts, desk, judgement)
        for key, claim in arranged.standing.items()
    }
    for key, task in desk.open.items():
        if key not in arranged.standing:
            host = arranged.host_of.get(key)
            yield from _without_reason(task, facts, ids.get(host) if host else None, judgement.policy)
    for key, claim in arranged.standing.items():
        taken_in = arranged.taken_in.get(key, ())
        if key in desk.open:
            yield from _with_reason(desk.open[key], claim, taken_in, facts, desk, judgement.policy)
        elif (closed := _coming_back(key, facts, desk)) is not None:
            change = Change(SYSTEM, facts.now, "; ".join(claim.newest.said))
            back = lifecycle.reopen_by_facts(closed, change)
            shown = _shown(back.task, claim, taken_in, facts, judgement.policy)
            yield Judged(back.task, replace(back, task=replace(back.task, **shown)), claim, taken_in)
        else:
            task = _opened(ids[key], claim, taken_in, facts, judgement.policy)
            entry = HistoryEntry("opened", SYSTEM, facts.now, 1, comment="; ".join(claim.newest.said))
            followed = desk.closed.get(key)
            if followed is not None and followed.closed_by == "facts":
                task = replace(task, linked_to=followed.follow_up_id)
            yield Judged(task, Step(task, entry), claim, taken_in)


def _claims(facts: Facts, desk: Desk, judgement: Judgement) -> list[Claim]:
    """What every rule has to say: of an open follow-up its own rule as it was opened, and those in force."""
    reasons = []
    owned = {key: rule for key, task in desk.open.items() if (rule := rule_of(task.policy)) is not None}
    for stakeholder_id in (None, *sorted(facts.answers.keys() | facts.invitations.keys())):
        own = [rule for (person, _), rule in owned.items() if person == stakeholder_id]
        kept = {(rule.rule_id, rule.kind) for rule in own}
        in_force = (rule for rule in judgement.rules if rule.enabled and (rule.rule_id, rule.kind) not in kept)
        for rule in (*own, *in_force):
            if (stakeholder_id is None) == is_about_account(rule):
                reasons.append(judge(rule, facts, stakeholder_id))
    return claims_of(filter(None, reasons), facts.account.tier)


def _stands(claim: Claim, facts: Facts, desk: Desk, may_open: bool) -> bool:
    """Whether there is a follow-up that says it, or one may be opened: what happened is recent, what is so may open."""
    if claim.key in desk.open or _coming_back(claim.key, facts, desk) is not None:
        return True
    moments = [held.occasion.at for held in claim.held]
    return any(may_open if at is None else facts.is_recent(at) for at in moments)


def _coming_back(key: Key, facts: Facts, desk: Desk) -> Task | None:
    task = desk.closed.get(key)
    if task is None or task.closed_by != "facts" or task.closed_at is None:
        return None
    return task if facts.now - task.closed_at <= COMES_BACK else None


def _id_of(claim: Claim, facts: Facts, desk: Desk, judgement: Judgement) -> UUID:
    closed = _coming_back(claim.key, facts, desk)
    if closed is not None:
        return closed.follow_up_id
    return judgement.name(facts.account.account_id, claim, desk.closed_count.get(claim.key, 0))


def _without_reason(task: Task, facts: Facts, host: UUID | None, policy: Policy) -> Iterator[Judged]:
    """Closes by itself where nobody has touched it, else stays and says so. By hand it is over when somebody is
    gone.
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
    change = Change(SYSTEM, facts.now, "; ".join(claim.newest.said))
    back = lifecycle.regain_reason(task, change)
    now = back.task if back else task
    if back is not None:
        yield Judged(now, back)
    rests_on = desk.resting_on.get(task.follow_up_id, frozenset())
    shown = _joined(now, claim, rests_on) if now.is_by_hand else _shown(now, claim, taken_in, facts, policy)
    action = "judged" if claim.rests <= rests_on else "repeated"
    step = lifecycle.amend(now, action, change, **shown)
    if step is not None or claim.rests.union(*(other.rests for other in taken_in)) != rests_on:
        yield Judged(step.task if step else now, step, claim, taken_in)
    yield from _moved(step.task if step else now, None, facts, policy)


def _moved(task: Task, step: Step | None, facts: Facts, policy: Policy) -> Iterator[Judged]:
    """A step, and after it that of the directory, which may name another owner by now."""
    if step is not None:
        yield Judged(step.task, step)
    now = step.task if step else task
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
    said = [text for held in claim.held for text in held.said]
    address = addressed_to(task.recipient, facts.account, policy.staff)
    who = () if task.owner_source == "assigned" else address.reasons
    next_answer = task.next_answer if task.response_id == newest.occasion.response_id else None
    return {
        "title": title_of(newest.rule.label, values, facts.account, person),
        "severity": claim.severity,
        "due_at": due,
        "escalations": task.escalations if due == task.due_at else escalation.moved(task, due),
        "response_id": newest.occasion.response_id,
        "score": _number(values.get("score")),
        "touchpoint": _text(values.get("touchpoint")),
        "product": _text(values.get("product")),
        "survey_type": _text(values.get("survey_type")),
        "nps_kind": _text(values.get("nps_kind")),
        "occurrences": len(claim.held),
        "reasons": tuple(dict.fromkeys(said))[-MAX_REASONS:] + who,
        "inhibited": tuple(dict.fromkeys(other.kind for other in taken_in)),
        "playbook": worst.rule.playbook,
        "informed": informed_by(worst.rule.informs, facts.account, policy.staff),
        "next_answer": next_answer,
    }


def _joined(task: Task, claim: Claim, rests_on: frozenset[Rest]) -> dict[str, Any]:
    """A task opened by hand takes a reason of its kind as an occurrence: it may only get worse."""
    new = [held for held in claim.held if claim.rest_of(held) not in rests_on]
    if not new:
        return {}
    due = min(task.due_at, *(escalation.with_pauses(task, _due_of(task, held)) for held in new))
    said = tuple(text for held in new for text in held.said)
    return {
        "severity": min((task.severity, *(held.severity for held in new)), key=rank),
        "due_at": due,
        "escalations": task.escalations if due == task.due_at else escalation.moved(task, due),
        "occurrences": task.occurrences + len(new),
        "reasons": tuple(dict.fromkeys(task.reasons + said))[-MAX_REASONS:],
        "response_id": new[-1].occasion.response_id or task.response_id,
    }


def _due(task: Task, claim: Claim) -> datetime:
    return min(_due_of(task, held) for held in claim.held)


def _due_of(task: Task, held: Held) -> datetime:
    """From when it became known; for what is so rather than happens, from the opening of the task."""
    return escalation.calendar_of(task.policy).add(held.occasion.since or task.opened_at, held.rule.due)


def _worst(claim: Claim) -> Held:
    """The newest of the worst occasions."""
    return next(held for held in reversed(claim.held) if held.severity == claim.severity)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
