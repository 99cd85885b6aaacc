"""Notices to people: what colleagues are told by mail or in a room, when, and in which words.

A notice waits for the comment and for the rest of an account's burst, then all of them go as one message; what has been
dealt with meanwhile is left out. Webhooks do not wait and know nothing of this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.alerting.domain.payloads import Links
from services.alerting.domain.people import Account, Answer, Stakeholder, account_name
from services.alerting.domain.severity import Severity, rank
from services.alerting.domain.tasks import Contact, EscalationCause, Task
from services.alerting.outbound.domain.chat import ChatMessage
from shared.calendar import BusinessCalendar

Channel = Literal["mail", "slack", "teams"]
Topic = Literal["follow_ups", "escalations", "praise", "webhooks"]
CHANNELS: tuple[Channel, ...] = ("mail", "slack", "teams")
TOPICS: tuple[Topic, ...] = ("follow_ups", "escalations", "praise", "webhooks")
ENDPOINT = "endpoint/"
"""What stands for an account where a notice is about an endpoint; no id of an account holds a slash."""
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440))
"""Waits after a try that failed; then it is given up."""
AWAY_WAIT = timedelta(minutes=1)
"""Wait while nobody can be asked, since the mail server or the proxy is away."""
PROMOTER = 9
MAX_QUOTE = 1_500
MAX_ITEMS = 20
"""A message shows so many; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Notification:
    """Whom to tell of what. Mail without an `address` goes to whoever each follow-up concerns. `owner_email` limits
    it to the accounts of that owner.
    """

    notification_id: str
    channel: Channel
    topics: tuple[Topic, ...]
    address: str | None = None
    host: str | None = None
    min_severity: Severity = "low"
    quiet_hours: bool = True
    description: str | None = None
    owner_email: str | None = None
    created_at: datetime | None = None

    def wants(self, topic: Topic, severity: Severity, owner_email: str | None) -> bool:
        """Whether it is told of something at an account of this owner."""
        return (
            topic in self.topics
            and (topic == "praise" or rank(severity) <= rank(self.min_severity))
            and self.owner_email in (None, owner_email)
        )

    def recipients(self, concerned: Sequence[Contact]) -> tuple[str, ...]:
        """The addresses to tell; a room is one recipient without an address."""
        if self.channel != "mail":
            return ("",)
        if self.address is not None:
            return (self.address,)
        return tuple(dict.fromkeys(contact.email for contact in concerned if contact.email))


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that people may be told of, and whom it concerns."""

    topic: Topic
    event_id: UUID
    account_id: str
    severity: Severity
    concerned: tuple[Contact, ...]
    follow_up_id: UUID | None = None
    response_id: str | None = None
    cause: EscalationCause | None = None


@dataclass(frozen=True, slots=True)
class DisabledWebhook:
    """A webhook endpoint that was disabled by itself, and how many messages are held for it."""

    endpoint_id: str
    host: str
    description: str | None
    reason: str
    at: datetime
    held: int


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a message speaks of, as it is when the message is written."""

    account: Account
    person: Stakeholder | None = None
    answer: Answer | None = None
    task: Task | None = None
    cause: EscalationCause | None = None
    endpoint: DisabledWebhook | None = None


def sent_at(now: datetime, wait: timedelta, quiet_hours: bool, calendar: BusinessCalendar) -> datetime:
    """When a notice leaves: after the wait and, where the quiet hours are kept, not before business opens."""
    at = now + wait
    if quiet_hours:
        at = calendar.next_open(at)
    return at


def retried_at(now: datetime, attempts: int) -> datetime | None:
    """When it is tried again after so many attempts; None to give it up."""
    if attempts > len(RETRIES):
        return None
    return now + RETRIES[attempts - 1]


def still_news(topic: Topic, item: Item) -> bool:
    """Whether there is still something to tell: nobody wants to hear of what has been dealt with."""
    task, answer = item.task, item.answer
    if topic == "webhooks":
        return item.endpoint is not None
    if topic == "praise":
        return answer is not None and is_praise(answer)
    if task is None or task.is_closed:
        return False
    if topic == "escalations":
        return item.cause in ("promise_near", "promise_past") or (task.state == "open" and task.reason_holds)
    return task.reason_holds


def is_praise(answer: Answer) -> bool:
    """Whether a promoter has said something."""
    if answer.withdrawn or answer.test:
        return False
    return answer.survey_type == "nps" and answer.score >= PROMOTER and bool(answer.comment)


def subject_of(items: Sequence[Item]) -> str:
    """One line: `Critical: Detractor (2): Jane Doe, Acme`, or `3 follow-ups at Acme`."""
    first = items[0]
    account = account_name(first.account)
    if first.endpoint is not None:
        return f"Webhook endpoint disabled: {first.endpoint.host}"
    if first.task is None:
        return f"Praise from {account}"
    if len(items) > 1:
        return f"{len(items)} follow-ups at {account}"
    lead = first.task.severity.capitalize()
    if first.cause:
        lead = "Escalated"
    return f"{lead}: {first.task.title}"


def text_of(items: Sequence[Item], links: Links, calendar: BusinessCalendar) -> str:
    """The body of a mail, plain text."""
    parts = ["\n".join(_lines(item, links, calendar)) for item in items[:MAX_ITEMS]]
    if len(items) > MAX_ITEMS:
        parts.append(f"and {len(items) - MAX_ITEMS} more")
    return "\n\n".join(parts) + "\n"


def chat_message_of(items: Sequence[Item], links: Links, calendar: BusinessCalendar) -> ChatMessage:
    """The message for a chat room: one follow-up with its facts, or one line for each of several."""
    first = items[0]
    title = subject_of(items)[:150]
    if len(items) > 1:
        heads = tuple((_head(item), _short(item, calendar)) for item in items[:MAX_ITEMS])
        return ChatMessage(title, heads, None, _link(first, links))
    if first.endpoint is not None:
        about = zip(_ENDPOINT_FACTS, _of_endpoint(first.endpoint, calendar), strict=True)
        return ChatMessage(title, tuple((name, text) for name, text in about if text))
    task, answer = first.task, first.answer
    facts: tuple[tuple[str, str], ...] = (("Account", account_name(first.account)), ("Person", _person(first)))
    if task is not None:
        facts += (
            ("Why", "; ".join(task.reasons)[:200]),
            ("Owner", task.owner.name or task.owner.email or "nobody"),
            ("Due", _local(task.due_at, calendar)),
        )
    shown = tuple((name, value) for name, value in facts if value)
    return ChatMessage(title, shown, _quote(answer), _link(first, links))


def _lines(item: Item, links: Links, calendar: BusinessCalendar) -> list[str]:
    if item.endpoint is not None:
        return [text for text in _of_endpoint(item.endpoint, calendar) if text]
    task, answer = item.task, item.answer
    quote = _quote(answer)
    comment = []
    if quote:
        comment.append(f"“{quote}”")
    if task is None:
        head = f"{_person(item)}, {account_name(item.account)}"
        if answer is not None:
            head += f" ({answer.score})"
        return [head, *comment, _link(item, links) or ""]
    lines = [task.title, f"Severity: {task.severity}. First touch due {_local(task.due_at, calendar)}."]
    if item.cause:
        lines.append(_ESCALATED[item.cause])
    if task.promise and item.cause in ("promise_near", "promise_past"):
        lines.append(f"Promised by {_local(task.promise.by, calendar)}: {task.promise.what}")
    lines += [f"Why: {'; '.join(task.reasons)}", *comment, f"Owner: {task.owner.name or task.owner.email or 'nobody'}"]
    return [*lines, "", task.playbook, "", _link(item, links) or ""]


_ESCALATED: dict[EscalationCause, str] = {
    "overdue": "Escalated: nobody has taken it on.",
    "promise_near": "A promise comes due.",
    "promise_past": "A promise is past its date.",
}


_ENDPOINT_FACTS = ("Endpoint", "Why", "Messages", "What to do")
_DISABLED = {"gone": "it answered 410, gone", "failing": "it has only failed for days"}


def _of_endpoint(endpoint: DisabledWebhook, calendar: BusinessCalendar) -> tuple[str, str, str, str]:
    """The endpoint's name, why and since when it is disabled, how many messages are held, and what to do; in the order
    of `_ENDPOINT_FACTS`.
    """
    named = endpoint.host
    if endpoint.description:
        named += f", {endpoint.description}"
    return (
        f"{named} ({endpoint.endpoint_id})",
        f"Disabled {_local(endpoint.at, calendar)}: {_DISABLED.get(endpoint.reason, endpoint.reason)}.",
        f"{endpoint.held} messages are held for 14 days; new ones join them.",
        "Mend the receiver, enable the endpoint, then recover what is held.",
    )


def _head(item: Item) -> str:
    if item.task is None:
        return "Praise"
    return item.task.severity.capitalize()


def _short(item: Item, calendar: BusinessCalendar) -> str:
    if item.task is None:
        return _quote(item.answer) or ""
    return f"{item.task.title} (due {_local(item.task.due_at, calendar)})"


def _person(item: Item) -> str:
    if item.person is None:
        return ""
    return item.person.name or item.person.stakeholder_id


def _quote(answer: Answer | None) -> str | None:
    if answer is None or answer.withdrawn or not answer.comment:
        return None
    if len(answer.comment) <= MAX_QUOTE:
        return answer.comment
    return answer.comment[:MAX_QUOTE] + "…"


def _link(item: Item, links: Links) -> str | None:
    if item.task is not None:
        return links.of_task(item.task)
    if item.answer is not None:
        return links.of_answer(item.answer)
    return None


def _local(at: datetime, calendar: BusinessCalendar) -> str:
    return at.astimezone(calendar.zone).strftime("%a %d %b %Y %H:%M %Z")
