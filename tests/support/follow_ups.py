"""A follow-up as alerting's API tells it."""

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
