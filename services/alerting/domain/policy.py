"""What the settings say, and the snapshot of it, with the rule, that a task keeps: later changes of either leave a
running task alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.alerting.domain import escalation
from services.alerting.domain.people import Staff
from services.alerting.domain.rules import (
    Rule,
    conditions_document,
    conditions_from,
    escalation_document,
    escalation_from,
)
from shared.calendar import BusinessCalendar, Due


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say: business time, default owner and leader."""

    calendar: BusinessCalendar
    staff: Staff
    ack_timeout: Due = escalation.ACK_TIMEOUT


_SAME = (
    *("rule_id", "version", "position", "kind", "label", "event", "severity", "recipient", "reason", "playbook"),
    *("inhibited_within", "growth", "about"),
)


def policy_snapshot(rule: Rule, policy: Policy) -> dict[str, Any]:
    """The rule and the business time as they are now, as JSON values."""
    document = {name: getattr(rule, name) for name in _SAME} | {
        "conditions": conditions_document(rule.conditions),
        "due": {"amount": rule.due.amount, "unit": rule.due.unit},
        "informs": list(rule.informs),
        "inhibited_by": list(rule.inhibited_by),
        "escalation": escalation_document(rule.escalation),
    }
    return {"rule": document, **business_snapshot(policy)}


def rule_of(snapshot: Mapping[str, Any]) -> Rule | None:
    """The rule as it was when the task was opened; None for a task opened by hand."""
    document = snapshot.get("rule")
    if document is None:
        return None
    return Rule(
        conditions=conditions_from(document["conditions"]),
        due=Due(**document["due"]),
        informs=tuple(document["informs"]),
        inhibited_by=tuple(document["inhibited_by"]),
        escalation=escalation_from(document["escalation"]),
        **{name: document[name] for name in _SAME},
    )


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
