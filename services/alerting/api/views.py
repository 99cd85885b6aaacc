"""From the domain to what the API gives."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerting.domain.payloads import Links, response_block, task_item
from services.alerting.domain.people import Answer
from services.alerting.domain.tasks import HistoryEntry, Task
from services.alerting.store.occasions import RestsOn
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

CRM = "crm:"
"""How the actor of a call-back begins; its endpoint follows."""
WHOLE = 1_000_000
"""No comment is cut where somebody works on it."""


def follow_up_view(task: Task) -> FollowUp:
    """A follow-up as in a list."""
    return FollowUp.model_validate(task_item(task))


def detail_view(
    task: Task, history: Sequence[HistoryEntry], names: Mapping[str, str], answer: Answer | None, links: Links
) -> FollowUpDetail:
    """A follow-up with its history and its answer. `names` are those of endpoints whose CRMs have called back."""
    closing, promise = task.closing, task.promise
    response = None if answer is None or answer.withdrawn else response_block(answer, links, WHOLE)
    return FollowUpDetail(
        **task_item(task),
        title=task.title,
        owner_source=task.owner_source,
        informed=[Contact(name=one.name, email=one.email) for one in task.informed],
        opened_by=task.opened_by,
        updated_at=task.updated_at,
        acknowledged_at=task.acknowledged_at,
        started_at=task.started_at,
        snoozed_until=task.snoozed_until,
        promise=Promise(what=promise.what, by=promise.by) if promise else None,
        next_answer=NextAnswerView.model_validate(task.next_answer, from_attributes=True) if task.next_answer else None,
        escalations=[EscalationView.model_validate(one, from_attributes=True) for one in task.escalations],
        paused_seconds=task.paused_seconds,
        unacknowledged_at=task.unacknowledged_at,
        touched_at=task.touched_at,
        over_since=task.over.since if task.over else None,
        over_because=task.over.because if task.over else None,
        proposed_outcome=task.over.outcome if task.over else None,
        linked_to=str(task.linked_to) if task.linked_to else None,
        root_cause=closing.root_cause if closing else None,
        what_was_done=closing.what_was_done if closing else None,
        told_customer=closing.told_customer if closing else None,
        result=closing.result if closing else None,
        response=response,
        history=[history_view(entry, names) for entry in history],
    )


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
    return actor.removeprefix(CRM) if actor.startswith(CRM) else None


def webhook_id_of(entry: HistoryEntry) -> str | None:
    """The id under which webhooks told of it."""
    return None if entry.event_id is None else f"msg_{entry.event_id}"


def why_view(
    task: Task,
    resting: Sequence[RestsOn],
    history: Sequence[HistoryEntry],
    deliveries: Sequence[Mapping[str, Any]],
    notices: Sequence[Mapping[str, Any]],
) -> Why:
    """All that led to a follow-up and came of it."""
    by_message: dict[str, list[dict[str, Any]]] = {}
    for row in deliveries:
        shown = {name: row[name] for name in row if name != "message_id"}
        by_message.setdefault(row["message_id"], []).append(shown)
    messages = [
        {"webhook_id": message, "action": entry.action, "at": entry.at, "deliveries": by_message.get(message, [])}
        for entry in history
        if (message := webhook_id_of(entry)) is not None
    ]
    return Why(
        follow_up_id=str(task.follow_up_id),
        reasons=list(task.reasons),
        inhibited=list(task.inhibited),
        rule=task.policy.get("rule"),
        business_time=task.policy.get("business_time"),
        triggers=[trigger_view(one) for one in resting],
        messages=messages,
        notices=[dict(one) for one in notices],
    )


def trigger_view(one: RestsOn) -> dict[str, Any]:
    """An occasion behind a follow-up."""
    return {
        "kind": one.kind,
        "stakeholder_id": one.stakeholder_id,
        "occasion": one.occasion,
        "event": one.event,
        "at": one.at,
        "response_id": one.response_id,
        "role": one.role,
        "holds": one.holds,
        "facts": one.facts,
        "matches": one.matches,
    }
