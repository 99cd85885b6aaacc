"""From a decision to a task: opening one, adding an occurrence to it, taking one back."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.alerting.domain import escalation
from services.alerting.domain.calendar import BusinessCalendar, Due
from services.alerting.domain.decisions import Decision, Match
from services.alerting.domain.lifecycle import differences
from services.alerting.domain.people import Account, Staff, Stakeholder, addressed_to, informed_by, title_of
from services.alerting.domain.rules import Facts, Rule, conditions_document, escalation_document
from services.alerting.domain.severity import worse
from services.alerting.domain.tasks import SYSTEM, HistoryEntry, Step, Task

Role = Literal["opened", "repeated", "inhibited"]
MAX_REASONS = 50
"""A task of somebody who answers every day does not grow without end; the newest reasons are kept."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say: business time, and who takes what nobody owns."""

    calendar: BusinessCalendar
    staff: Staff
    ack_timeout: Due = escalation.ACK_TIMEOUT


@dataclass(frozen=True, slots=True)
class Trigger:
    """One event that rules may fire on, with the facts they look at. `at` is when it happened."""

    event_id: UUID
    event: str
    at: datetime
    account_id: str
    stakeholder_id: str | None
    response_id: str | None
    facts: Facts


ABOUT_ACCOUNTS = frozenset({"tier", "industry", "region", "known_days", "burst"})
"""Facts that are not about one person."""


def seen_by(rule: Rule, trigger: Trigger) -> Trigger:
    """The trigger as the rule's follow-up shows it: without the person, where it is one of the whole account."""
    if rule.about == "person":
        return trigger
    facts = {name: value for name, value in trigger.facts.items() if name in ABOUT_ACCOUNTS}
    return replace(trigger, stakeholder_id=None, response_id=None, facts=facts)


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger as it stands behind a task: what it did there, and whether it still holds after corrections.

    `matches` lists every rule that held, the strongest first, as JSON values.
    """

    follow_up_id: UUID
    role: Role
    trigger: Trigger
    matches: tuple[dict[str, Any], ...]
    holds: bool = True

    @property
    def kind(self) -> str | None:
        """What was decided; None once it was forgotten."""
        return self.matches[0]["kind"] if self.matches else None


def fired(follow_up_id: UUID, role: Role, trigger: Trigger, decision: Decision) -> Fired:
    """What is kept of a decision, so that it can be explained."""
    return Fired(follow_up_id, role, trigger, tuple(map(_match_document, decision.matches)))


def _match_document(match: Match) -> dict[str, Any]:
    return {
        "rule_id": match.rule.rule_id,
        "rule_version": match.rule.version,
        "kind": match.rule.kind,
        "severity": match.severity,
        "due_at": match.due_at.isoformat(),
        "reasons": list(match.reasons),
    }


def open_task(
    follow_up_id: UUID,
    trigger: Trigger,
    decision: Decision,
    account: Account,
    person: Stakeholder | None,
    policy: Policy,
) -> Step:
    """The task that the chosen rule asks for."""
    match = _chosen(decision)
    rule = match.rule
    address = addressed_to(rule.recipient, account, policy.staff)
    task = Task(
        follow_up_id=follow_up_id,
        version=1,
        kind=rule.kind,
        title=title_of(rule.label, trigger.facts, account, person),
        severity=match.severity,
        state="open",
        account_id=trigger.account_id,
        stakeholder_id=trigger.stakeholder_id,
        response_id=trigger.response_id,
        owner=address.owner,
        owner_source=address.source,
        recipient=rule.recipient,
        informed=informed_by(rule.informs, account, policy.staff),
        due_at=match.due_at,
        occurrences=1,
        reasons=match.reasons + address.reasons,
        inhibited=decision.inhibited_kinds,
        playbook=rule.playbook,
        opened_at=trigger.at,
        opened_by=SYSTEM,
        updated_at=trigger.at,
        policy=policy_snapshot(rule, policy),
        escalations=escalation.planned(match.due_at, rule.escalation, policy.calendar),
        closes_on_answer=rule.closes_on_answer,
        score=_number(trigger.facts.get("score")),
        touchpoint=_text(trigger.facts.get("touchpoint")),
        product=_text(trigger.facts.get("product")),
        survey_type=_text(trigger.facts.get("survey_type")),
        nps_kind=_text(trigger.facts.get("nps_kind")),
    )
    return Step(task, HistoryEntry("opened", SYSTEM, trigger.at, 1, comment="; ".join(match.reasons)))


def add_occurrence(task: Task, trigger: Trigger, decision: Decision) -> Step:
    """The same again while the task is open: severity may rise and never falls, the due time never moves
    later.
    """
    match = _chosen(decision)
    due = min(task.due_at, match.due_at)
    changed = replace(
        task,
        version=task.version + 1,
        severity=worse(task.severity, match.severity),
        due_at=due,
        escalations=escalation.moved(task, due) if due != task.due_at else task.escalations,
        occurrences=task.occurrences + 1,
        reasons=_joined(task.reasons, match.reasons),
        inhibited=tuple(dict.fromkeys(task.inhibited + decision.inhibited_kinds)),
        response_id=trigger.response_id or task.response_id,
        score=_number(trigger.facts.get("score")),
        survey_type=_text(trigger.facts.get("survey_type")) or task.survey_type,
        nps_kind=_text(trigger.facts.get("nps_kind")) or task.nps_kind,
        next_answer=None,
        updated_at=trigger.at,
    )
    return _noted(task, changed, "repeated", trigger.at, "; ".join(match.reasons))


def inhibit(task: Task, trigger: Trigger, decision: Decision) -> Step:
    """An open task of a stronger kind takes the trigger in instead of a second task."""
    match = _chosen(decision)
    kinds = (match.rule.kind, *decision.inhibited_kinds)
    changed = replace(
        task,
        version=task.version + 1,
        inhibited=tuple(dict.fromkeys(task.inhibited + kinds)),
        updated_at=trigger.at,
    )
    return _noted(task, changed, "inhibited", trigger.at, "; ".join(match.reasons))


def corrected(task: Task, at: datetime, reason: str, match: Match | None, inhibited: tuple[str, ...] = ()) -> Step:
    """The answer behind the task was changed and a rule of its kind still holds: say so, and take on what got
    worse.
    """
    due = min(task.due_at, escalation.with_pauses(task, match.due_at)) if match else task.due_at
    changed = replace(
        task,
        version=task.version + 1,
        severity=worse(task.severity, match.severity) if match else task.severity,
        due_at=due,
        escalations=escalation.moved(task, due) if due != task.due_at else task.escalations,
        reasons=_joined(task.reasons, (reason, *(match.reasons if match else ()))),
        inhibited=tuple(dict.fromkeys(task.inhibited + inhibited)),
        updated_at=at,
    )
    return _noted(task, changed, "corrected", at, reason)


def policy_snapshot(rule: Rule, policy: Policy) -> dict[str, Any]:
    """The rule and the business time as they are now, as JSON values."""
    return {
        "rule": {
            "rule_id": rule.rule_id,
            "version": rule.version,
            "event": rule.event,
            "conditions": conditions_document(rule.conditions),
            "severity": rule.severity,
            "due": {"amount": rule.due.amount, "unit": rule.due.unit},
            "recipient": rule.recipient,
            "informs": list(rule.informs),
            "escalation": escalation_document(rule.escalation),
            "growth": rule.growth,
        },
        **business_snapshot(policy),
    }


def business_snapshot(policy: Policy) -> dict[str, Any]:
    """The business time, and how long who takes a task on may do nothing, as JSON values."""
    calendar = policy.calendar
    return {
        "business_time": {
            "time_zone": calendar.zone.key,
            "weekdays": sorted(calendar.weekdays),
            "opens_minute": int(calendar.opens.total_seconds() // 60),
            "closes_minute": int(calendar.closes.total_seconds() // 60),
            "holidays": sorted(day.isoformat() for day in calendar.holidays),
        },
        "ack_timeout": {"amount": policy.ack_timeout.amount, "unit": policy.ack_timeout.unit},
    }


def _noted(old: Task, new: Task, action: str, at: datetime, comment: str) -> Step:
    return Step(new, HistoryEntry(action, SYSTEM, at, new.version, comment, differences(old, new)))


def _joined(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(old + new))[-MAX_REASONS:]


def _chosen(decision: Decision) -> Match:
    if decision.chosen is None:
        raise ValueError("nothing was decided")
    return decision.chosen


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
