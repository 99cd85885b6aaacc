"""From the domain to what the API gives."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from services.alerting.domain.dry_run import DryRunOutcome
from services.alerting.domain.payloads import Links, response_block, task_item
from services.alerting.domain.people import Answer
from services.alerting.domain.tasks import HistoryEntry, Task
from services.alerting.handlers.rule_changes import DryRunComparison
from services.alerting.store.occasions import TaskOccasion
from shared.api.follow_ups import (
    Contact,
    EscalationView,
    FollowUp,
    FollowUpDetail,
    HistoryLine,
    NextAnswerView,
    Promise,
    Why,
)
from shared.api.rules import MAX_SHOWN, DryRunResult, RuleView, WouldOpen

CRM = "crm:"
"""How the actor of a call-back begins; its endpoint follows."""
WHOLE = 1_000_000
"""No comment is cut where somebody works on it."""


def follow_up_view(task: Task) -> FollowUp:
    """A follow-up as in a list."""
    return FollowUp(**task_item(task), promise=_promise_of(task))


def _promise_of(task: Task) -> Promise | None:
    if task.promise is None:
        return None
    return Promise(what=task.promise.what, by=task.promise.by)


def detail_view(
    task: Task, history: Sequence[HistoryEntry], names: Mapping[str, str], answer: Answer | None, links: Links
) -> FollowUpDetail:
    """A follow-up with its history and its answer. `names` are those of endpoints whose CRMs have called back."""
    response = next_answer = linked_to = None
    if answer is not None and not answer.withdrawn:
        response = response_block(answer, links, WHOLE)
    if task.next_answer is not None:
        next_answer = NextAnswerView.model_validate(task.next_answer, from_attributes=True)
    if task.linked_to is not None:
        linked_to = str(task.linked_to)
    return FollowUpDetail(
        **task_item(task),
        **_fields_of(task.over, _OVER),
        **_fields_of(task.closing, _CLOSING),
        title=task.title,
        owner_source=task.owner_source,
        informed=[Contact(name=contact.name, email=contact.email) for contact in task.informed],
        opened_by=task.opened_by,
        updated_at=task.updated_at,
        acknowledged_at=task.acknowledged_at,
        started_at=task.started_at,
        snoozed_until=task.snoozed_until,
        promise=_promise_of(task),
        next_answer=next_answer,
        escalations=[EscalationView.model_validate(level, from_attributes=True) for level in task.escalations],
        paused_seconds=task.paused_seconds,
        unacknowledged_at=task.unacknowledged_at,
        touched_at=task.touched_at,
        linked_to=linked_to,
        response=response,
        history=[history_view(entry, names) for entry in history],
    )


_OVER = {"over_since": "since", "over_because": "because", "proposed_outcome": "outcome"}
_CLOSING = {name: name for name in ("root_cause", "what_was_done", "told_customer", "result")}
"""Fields of the view, and the fields that they show of what a task may have."""


def _fields_of(part: object | None, names: Mapping[str, str]) -> dict[str, Any]:
    if part is None:
        return dict.fromkeys(names)
    return {shown: getattr(part, name) for shown, name in names.items()}


def history_view(entry: HistoryEntry, names: Mapping[str, str]) -> HistoryLine:
    """One line of a history."""
    return HistoryLine(
        action=entry.action,
        actor=entry.actor,
        actor_name=names.get(endpoint_of(entry.actor) or ""),
        at=entry.at,
        version=entry.version,
        comment=entry.comment,
        changes=entry.changes,
        webhook_id=webhook_id_of(entry),
    )


def endpoint_of(actor: str) -> str | None:
    """The endpoint whose CRM has acted; None for everybody else."""
    if not actor.startswith(CRM):
        return None
    return actor.removeprefix(CRM)


def webhook_id_of(entry: HistoryEntry) -> str | None:
    """The webhook-id of the message about a line of a history; None where no message was sent."""
    if entry.event_id is None:
        return None
    return f"msg_{entry.event_id}"


def why_view(
    task: Task,
    resting: Sequence[TaskOccasion],
    history: Sequence[HistoryEntry],
    deliveries: Sequence[Mapping[str, Any]],
    notices: Sequence[Mapping[str, Any]],
) -> Why:
    """All that led to a follow-up and came of it."""
    by_message: dict[str, list[dict[str, Any]]] = {}
    for row in deliveries:
        shown = dict(row)
        by_message.setdefault(shown.pop("message_id"), []).append(shown)
    messages = []
    for entry in history:
        webhook_id = webhook_id_of(entry)
        if webhook_id is not None:
            message = {"webhook_id": webhook_id, "action": entry.action, "at": entry.at}
            messages.append(message | {"deliveries": by_message.get(webhook_id, [])})
    return Why(
        follow_up_id=str(task.follow_up_id),
        reasons=list(task.reasons),
        inhibited=list(task.inhibited),
        rule=task.policy.get("rule"),
        business_time=task.policy.get("business_time"),
        triggers=[trigger_view(occasion) for occasion in resting],
        messages=messages,
        notices=[dict(notice) for notice in notices],
    )


def trigger_view(occasion: TaskOccasion) -> dict[str, Any]:
    """An occasion behind a follow-up."""
    return {
        "kind": occasion.kind,
        "stakeholder_id": occasion.stakeholder_id,
        "occasion": occasion.occasion,
        "event": occasion.event,
        "at": occasion.at,
        "response_id": occasion.response_id,
        "role": occasion.role,
        "holds": occasion.holds,
        "facts": occasion.facts,
        "matches": occasion.matches,
    }


def rule_view(row: Mapping[str, Any]) -> RuleView:
    """A version of a rule from its row."""
    values = dict(row)
    due = {"amount": values.pop("due_amount"), "unit": values.pop("due_unit")}
    return RuleView(**values, due=due)


def dry_run_result(since: datetime, until: datetime, trial: DryRunComparison) -> DryRunResult:
    """The outcome of a dry run, counted."""
    opened = [outcome for outcome in trial.would if outcome.role == "opened"]
    roles = Counter(map(attrgetter("role"), trial.would))
    roles_now = Counter(map(attrgetter("role"), trial.now))
    sentence = f"would have opened {len(opened)} tasks"
    if len(opened) == 1:
        sentence = "would have opened 1 task"
    return DryRunResult(
        since=since,
        until=until,
        considered=trial.considered,
        would_open=len(opened),
        would_repeat=roles["repeated"],
        would_inhibit=roles["inhibited"],
        opens_now=roles_now["opened"],
        sentence=sentence,
        items=[_would_open(outcome) for outcome in opened[-MAX_SHOWN:]],
    )


def _would_open(outcome: DryRunOutcome) -> WouldOpen:
    trigger, match = outcome.past.trigger, outcome.match
    return WouldOpen(
        event_id=trigger.event_id,
        event=trigger.event,
        at=trigger.at,
        account_id=trigger.account_id,
        stakeholder_id=trigger.stakeholder_id,
        response_id=trigger.response_id,
        rule_id=match.rule.rule_id,
        kind=match.rule.kind,
        severity=match.severity,
        due_at=match.due_at,
        reasons=list(match.reasons),
        follow_up_id=outcome.past.follow_up_id,
    )
