"""What a webhook says: {account, stakeholder, response?, task?, change?, crm?}, as JSON values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from services.alerting.domain import crm
from services.alerting.domain.people import Account, Answer, Stakeholder
from services.alerting.domain.series import category_of
from services.alerting.domain.tasks import Contact, Task
from shared.calendar import BusinessCalendar

MAX_COMMENT = 8_000
MAX_BYTES = 60_000
"""A message has at most 64 KiB; the envelope around the data needs some of it."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where people look things up: the pages of the dashboard at this address."""

    dashboard: str

    def of_task(self, task: Task) -> str:
        """The page of a follow-up."""
        return f"{self.dashboard}/follow-ups/{task.follow_up_id}"

    def of_answer(self, answer: Answer) -> str:
        """The page of the person, with all that they have answered."""
        return f"{self.dashboard}/accounts/{quote(answer.account_id)}/people/{quote(answer.stakeholder_id)}"


@dataclass(frozen=True, slots=True)
class PayloadSettings:
    """What does not change from message to message."""

    calendar: BusinessCalendar
    links: Links


@dataclass(frozen=True, slots=True)
class MessageSubject:
    """What a message speaks of."""

    account: Account
    person: Stakeholder | None = None
    answer: Answer | None = None
    task: Task | None = None
    change: Mapping[str, Any] | None = None


def payload(payload_settings: PayloadSettings, subject: MessageSubject) -> dict[str, Any]:
    """The data of a message. A comment is cut at 8,000 characters, and further where the whole would be too
    large.
    """
    limit = MAX_COMMENT
    while True:
        data = _build(payload_settings, subject, limit)
        if limit < 100 or len(json.dumps(data, ensure_ascii=False).encode()) <= MAX_BYTES:
            return data
        limit //= 2


def _build(payload_settings: PayloadSettings, subject: MessageSubject, limit: int) -> dict[str, Any]:
    account, person, answer, task = subject.account, subject.person, subject.answer, subject.task
    data: dict[str, Any] = {"account": account_block(account), "stakeholder": None}
    if person is not None:
        data["stakeholder"] = stakeholder_block(person)
    if answer is not None and not answer.withdrawn:
        data["response"] = response_block(answer, payload_settings.links, limit)
        if person is not None and answer.stakeholder_id != person.stakeholder_id:
            data["response"]["given_stakeholder_id"] = answer.stakeholder_id
    if subject.change is not None:
        data["change"] = dict(subject.change)
    if task is not None:
        link = payload_settings.links.of_task(task)
        data["task"] = task_item(task) | {"title": task.title, "link": link}
        text = crm.body(task, answer, link, limit)
        data["crm"] = {
            "salesforce": crm.salesforce(task, account, person, text, payload_settings.calendar),
            "hubspot": crm.hubspot(task, account, person, text),
        }
    return data


def task_item(task: Task) -> dict[str, Any]:
    """A follow-up as the API lists it and webhooks carry it."""
    return {
        "follow_up_id": str(task.follow_up_id),
        "version": task.version,
        "kind": task.kind,
        "severity": task.severity,
        "state": task.state,
        "account_id": task.account_id,
        "stakeholder_id": task.stakeholder_id,
        "response_id": task.response_id,
        "owner": contact_block(task.owner),
        "due_at": timestamp(task.due_at),
        "occurrences": task.occurrences,
        "reasons": list(task.reasons),
        "inhibited": list(task.inhibited),
        "playbook": task.playbook,
        "opened_at": timestamp(task.opened_at),
        "reason_holds": task.reason_holds,
        "closed_at": timestamp(task.closed_at),
        "closed_by": task.closed_by,
        "outcome": task.outcome,
    }


def account_block(account: Account) -> dict[str, Any]:
    """The account as a receiver needs it to find its own record."""
    revenue = None
    if account.revenue_amount is not None:
        revenue = {"amount": account.revenue_amount, "currency": account.revenue_currency}
    renewal_on = None
    if account.renewal_on is not None:
        renewal_on = account.renewal_on.isoformat()
    return {
        "account_id": account.account_id,
        "name": account.name,
        "industry": account.industry,
        "tier": account.tier,
        "region": account.region,
        "annual_revenue": revenue,
        "renewal_on": renewal_on,
        "owner": contact_block(account.owner),
        "sponsor": contact_block(account.sponsor),
    }


def stakeholder_block(person: Stakeholder) -> dict[str, Any]:
    """The person."""
    return {
        "stakeholder_id": person.stakeholder_id,
        "name": person.name,
        "email": person.email,
        "type": person.type,
        "job_title": person.job_title,
    }


def response_block(answer: Answer, links: Links, limit: int = MAX_COMMENT) -> dict[str, Any]:
    """The answer with its comment; a cut comment says so and links to the whole."""
    block = {
        "response_id": answer.response_id,
        "survey_type": answer.survey_type,
        "nps_kind": answer.nps_kind,
        "score": answer.score,
        "category": category_of(answer.survey_type, answer.score),
        "comment": answer.comment,
        "answered_at": timestamp(answer.answered_at),
        "touchpoint": answer.touchpoint,
        "product": answer.product,
        "language": answer.language,
        "follow_up_requested": answer.follow_up_requested,
        "truncated": False,
    }
    if answer.comment is not None and len(answer.comment) > limit:
        block |= {"comment": answer.comment[:limit], "truncated": True, "link": links.of_answer(answer)}
    return block


def contact_block(contact: Contact) -> dict[str, Any]:
    """A colleague."""
    return {"name": contact.name, "email": contact.email}


def timestamp(at: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    if at is None:
        return None
    return at.isoformat().replace("+00:00", "Z")
