"""Answers of alerting's API about a follow-up: in a list, in detail, its reasons, and the summary of all."""

from typing import Any

FOLLOW_UP: dict[str, Any] = {
    "account_id": "acme",
    "stakeholder_id": None,
    "follow_up_id": "5f1c2a52-6a0f-5f5e-9b68-0d9f2f6a7c11",
    "version": 1,
    "kind": "detractor",
    "severity": "high",
    "state": "open",
    "response_id": None,
    "owner": {"name": None, "email": "kim@supplier.example"},
    "due_at": "2026-11-24T09:00:00Z",
    "occurrences": 1,
    "reasons": [],
    "inhibited": [],
    "playbook": "",
    "opened_at": "2026-11-20T09:00:00Z",
    "reason_holds": True,
    "closed_at": None,
    "closed_by": None,
    "outcome": None,
}
FOLLOW_UP_DETAIL: dict[str, Any] = FOLLOW_UP | {
    "playbook": "Call them. Listen.",
    "title": "Detractor at Acme",
    "owner_source": "default",
    "informed": [],
    "opened_by": "system",
    "updated_at": "2026-11-20T09:00:00Z",
    "acknowledged_at": None,
    "started_at": None,
    "snoozed_until": None,
    "promise": {"what": "A plan", "by": "2026-11-30T09:00:00Z"},
    "next_answer": None,
    "escalations": [
        {
            "level": 1,
            "cause": "overdue",
            "to": "sponsor",
            "due_at": "2026-11-25T09:00:00Z",
            "fired_at": None,
        }
    ],
    "paused_seconds": 0,
    "unacknowledged_at": None,
    "touched_at": None,
    "over_since": None,
    "over_because": None,
    "proposed_outcome": None,
    "linked_to": None,
    "root_cause": None,
    "what_was_done": None,
    "told_customer": None,
    "result": None,
    "response": None,
    "history": [
        {
            "action": "opened",
            "actor": "system",
            "actor_name": None,
            "at": "2026-11-20T09:00:00Z",
            "version": 1,
            "comment": None,
            "changes": {},
            "webhook_id": None,
        }
    ],
}
WHY: dict[str, Any] = {
    "follow_up_id": FOLLOW_UP["follow_up_id"],
    "reasons": ["asked at the fair"],
    "inhibited": [],
    "rule": None,
    "business_time": None,
    "triggers": [],
    "notices": [],
    "messages": [],
}
SUMMARY: dict[str, Any] = {
    "groups": [
        {
            "group": {"kind": "detractor"},
            "opened_count": 3,
            "open_count": 1,
            "overdue_count": 1,
            "closed_count": 2,
            "resolved_count": 2,
            "dismissed_count": 0,
            "closed_by_facts_count": 0,
            "over_count": 0,
            "told_customer_count": 2,
            "loop_count": 3,
            "closed_loop_count": 2,
            "closed_loop_rate": 0.667,
            "on_time_rate": 0.5,
            "escalated_count": 0,
            "recovered_count": 1,
            "unchanged_count": 0,
            "worse_count": 0,
            "recovered_rate": 1.0,
            "median_hours_to_first_touch": 5.5,
            "median_hours_to_close": None,
        }
    ],
    "accounts_without_owner": ["acme"],
}
