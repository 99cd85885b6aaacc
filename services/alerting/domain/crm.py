"""Ready blocks for the two CRMs that most suppliers have: a task as Salesforce and as HubSpot want it.

External ids come from the directory's attributes: `salesforce_id` of account and person,
`salesforce_owner_id` of the account, and the same with `hubspot_`. A field without a value is left out, so
that an upsert does not clear it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.alerting.domain.people import Account, Answer, Stakeholder
from services.alerting.domain.tasks import Task
from shared.calendar import BusinessCalendar

SALESFORCE_STATUS = {
    "open": "Not Started",
    "acknowledged": "In Progress",
    "in_progress": "In Progress",
    "snoozed": "Deferred",
    "closed": "Completed",
}
SALESFORCE_PRIORITY = {"critical": "High", "high": "High", "medium": "Normal", "low": "Low"}
HUBSPOT_PRIORITY = {"critical": "HIGH", "high": "HIGH", "medium": "MEDIUM", "low": "LOW"}
HUBSPOT_TASK_TO_CONTACT = 204
"""The one association type that is the same in every portal; others must be read there."""
MAX_COMMENT_HERE = 2_000
"""The whole comment stands in `response`; here it is twice more, so it is cut shorter."""


def body(task: Task, answer: Answer | None, link: str, limit: int) -> str:
    """The text of the task in the CRM: why, what was said, what to do, where to look."""
    lines = ["; ".join(task.reasons)]
    if answer is not None and answer.comment and not answer.withdrawn:
        cut = min(limit, MAX_COMMENT_HERE)
        comment = answer.comment
        if len(comment) > cut:
            comment = comment[:cut] + "…"
        lines.append(f"“{comment}”")
    lines += [task.playbook, link]
    return "\n\n".join(line for line in lines if line)


def salesforce(
    task: Task, account: Account, person: Stakeholder | None, text: str, calendar: BusinessCalendar
) -> dict[str, Any]:
    """A Salesforce Task. ActivityDate is a date where the supplier works; the time goes to ReminderDateTime."""
    contact = None
    if person is not None:
        contact = _external(person.attributes, "salesforce_id")
    block = {
        "Subject": task.title,
        "Description": text,
        "Status": SALESFORCE_STATUS[task.state],
        "Priority": SALESFORCE_PRIORITY[task.severity],
        "ActivityDate": calendar.local_date(task.due_at).isoformat(),
        "ReminderDateTime": _utc(task.due_at),
        "IsReminderSet": not task.is_closed,
        "OwnerId": _external(account.attributes, "salesforce_owner_id"),
        "WhatId": _external(account.attributes, "salesforce_id"),
        "WhoId": contact,
        "Tellback_Follow_Up_Id__c": str(task.follow_up_id),
    }
    return _without_empty(block)


def hubspot(task: Task, account: Account, person: Stakeholder | None, text: str) -> dict[str, Any]:
    """A HubSpot task with its properties and, where the contact's id is known, the association to it."""
    status = "NOT_STARTED"
    if task.is_closed:
        status = "COMPLETED"
    properties = {
        "hs_task_subject": task.title,
        "hs_task_body": text,
        "hs_task_status": status,
        "hs_task_priority": HUBSPOT_PRIORITY[task.severity],
        "hs_timestamp": _utc(task.due_at),
        "hs_task_reminders": str(int(task.due_at.timestamp() * 1000)),
        "hubspot_owner_id": _external(account.attributes, "hubspot_owner_id"),
    }
    block: dict[str, Any] = {"properties": _without_empty(properties)}
    contact = None
    if person is not None:
        contact = _external(person.attributes, "hubspot_id")
    if contact is not None:
        kind = {
            "associationCategory": "HUBSPOT_DEFINED",
            "associationTypeId": HUBSPOT_TASK_TO_CONTACT,
        }
        block["associations"] = [{"to": {"id": contact}, "types": [kind]}]
    return block


def _external(attributes: dict[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)


def _without_empty(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if value is not None}


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
