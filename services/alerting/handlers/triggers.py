"""An event may open a follow-up, add to one, or be taken in by a stronger one: one event, one decision."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerting.domain.decisions import Decision, decide
from services.alerting.domain.rules import Rule
from services.alerting.domain.tasks import Task
from services.alerting.domain.triggers import Policy, Trigger, add_occurrence, fired, inhibit, open_task, seen_by
from services.alerting.handlers.casework import Casework
from shared.ids import derived_uuid

Told = Mapping[str, Any] | None
"""What a message says under `change`."""


def act_on(
    casework: Casework, trigger: Trigger, rules: Sequence[Rule], policy: Policy, change: Told = None
) -> Task | None:
    """Decide about a trigger and do it; answers the task that it went into, if any. Messages show `change`."""
    decision = decide(rules, trigger.event, trigger.facts, trigger.at, policy.calendar)
    task = place(casework, trigger, decision, policy, change)
    casework.judged(trigger, task)
    return task


def place(casework: Casework, trigger: Trigger, decision: Decision, policy: Policy, change: Told = None) -> Task | None:
    """Carry out a decision."""
    if decision.chosen is None:
        return None
    rule = decision.chosen.rule
    stronger = _stronger(casework, trigger, rule)
    if stronger is not None:
        step = inhibit(stronger, trigger, decision)
        return casework.record(step, fired(stronger.follow_up_id, "inhibited", trigger, decision), change)
    shown = seen_by(rule, trigger)
    existing = casework.open_task(shown.account_id, shown.stakeholder_id, rule.kind)
    if existing is not None:
        step = add_occurrence(existing, shown, decision)
        return casework.record(step, fired(existing.follow_up_id, "repeated", trigger, decision), change)
    follow_up_id = derived_uuid("follow_up", str(trigger.event_id))
    account = casework.world.account(trigger.account_id)
    person = casework.world.person(shown.account_id, shown.stakeholder_id)
    step = open_task(follow_up_id, shown, decision, account, person, policy)
    return casework.record(step, fired(follow_up_id, "opened", trigger, decision), change)


def _stronger(casework: Casework, trigger: Trigger, rule: Rule) -> Task | None:
    """The open task that takes the trigger in; for what is about an account, anybody's at it."""
    if rule.inhibited_within == "person" and trigger.stakeholder_id is not None:
        candidates = casework.open_tasks(trigger.account_id, trigger.stakeholder_id)
    else:
        candidates = casework.open_tasks_at(trigger.account_id)
    found = {task.kind: task for task in reversed(candidates)}
    return next((found[kind] for kind in rule.inhibited_by if kind in found), None)
