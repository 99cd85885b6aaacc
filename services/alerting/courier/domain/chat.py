"""Messages as chat rooms take them: incoming webhooks of Slack and of Microsoft Teams (Workflows).

Written from the stored message, which stays as it is; what people wrote goes into parts that know no markup, so that
a comment can neither forge a link nor call a whole channel.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from services.alerting.outbound.domain.chat import ChatMessage, slack, teams

Format = Literal["json", "slack", "teams"]
MAX_QUOTE = 1_500
MAX_TITLE = 150
MAX_FACT = 200
_FOLLOW_UPS = {
    "follow_up.opened": "New follow-up",
    "follow_up.updated": "Follow-up changed",
    "follow_up.escalated": "Follow-up escalated",
    "follow_up.closed": "Follow-up closed",
}


def rendered(format_name: str, body: bytes) -> bytes:
    """The bytes to send to an endpoint of this format: the message itself for `json`."""
    if format_name == "json":
        return body
    chat_message = chat_message_of(json.loads(body))
    block = teams(chat_message)
    if format_name == "slack":
        block = slack(chat_message)
    return json.dumps(block, ensure_ascii=False, separators=(",", ":")).encode()


def chat_message_of(message: Mapping[str, Any]) -> ChatMessage:
    """A message {type, timestamp, data, sequence} in words. Data of which only ids were left still makes a note."""
    data = message["data"]
    task, response = data.get("task") or {}, data.get("response") or {}
    quote = response.get("comment")
    return ChatMessage(
        _cut(_title(message["type"], data), MAX_TITLE),
        tuple((name, _cut(str(value), MAX_FACT)) for name, value in _facts(data) if value not in (None, "")),
        quote and _cut(quote, MAX_QUOTE),
        task.get("link") or response.get("link"),
    )


def _title(kind: str, data: Mapping[str, Any]) -> str:
    account, person = _name(data.get("account"), "account_id"), _name(data.get("stakeholder"), "stakeholder_id")
    change, response = data.get("change") or {}, data.get("response") or {}
    who = account
    if person:
        who = f"{person} of {account}"
    if kind in _FOLLOW_UPS:
        return f"{_FOLLOW_UPS[kind]}: {(data.get('task') or {}).get('title') or who}"
    if kind == "stakeholder.category_changed":
        return f"{who}: {change.get('from') or 'no answer'} to {change.get('to')}"
    if kind == "account_score.dropped":
        return f"{account}: NPS fell from {change.get('previous_nps')} to {change.get('nps')}"
    if kind == "account_score.changed":
        return f"{account}: scores changed"
    if kind == "survey_response.created":
        return f"{who} answered {response.get('score', '')}".strip()
    if kind == "survey_response.updated":
        return f"{who} changed an answer"
    return str(data.get("text") or kind)


def _facts(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    task: Mapping[str, Any] = data.get("task") or {}
    return [
        ("Account", _name(data.get("account"), "account_id")),
        ("Person", _name(data.get("stakeholder"), "stakeholder_id")),
        ("Score", _score(data.get("response") or {})),
        ("Severity", task.get("severity")),
        ("State", task.get("state")),
        ("Outcome", task.get("outcome")),
        ("Owner", _name(task.get("owner"), "email")),
        ("Due", task.get("due_at")),
        ("Why", "; ".join(task.get("reasons") or ())),
        ("Class", _class(data.get("change") or {})),
    ]


def _score(response: Mapping[str, Any]) -> str | None:
    if response.get("score") is None:
        return None
    return f"{response['score']} ({response.get('category') or response.get('survey_type')})"


def _class(change: Mapping[str, Any]) -> str | None:
    moved: Mapping[str, Any] = change.get("account_class") or {}
    if moved.get("from") == moved.get("to"):
        return None
    return f"{moved.get('from')} to {moved.get('to')}"


def _name(block: Mapping[str, Any] | None, otherwise: str) -> str:
    """A name to show; the id where there is none."""
    block = block or {}
    return str(block.get("name") or block.get(otherwise) or "")


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return text[: limit - 1] + "…"
