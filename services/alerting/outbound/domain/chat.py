"""Messages as chat rooms take them: incoming webhooks of Slack and of Microsoft Teams (Workflows).

What people wrote goes into parts that know no markup, so that a comment can neither forge a link nor call a whole
channel.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """What a chat message says: a title, facts as (name, value), words of a customer, where to look."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    quote: str | None = None
    link: str | None = None


def slack(message: ChatMessage) -> dict[str, Any]:
    """Blocks of plain text, and `text` for notifications."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(message.title)}]
    if message.facts:
        fields = [_plain(f"{name}: {value}") for name, value in message.facts[:10]]
        blocks.append({"type": "section", "fields": fields})
    if message.quote:
        blocks.append({"type": "section", "text": _plain(f"“{message.quote}”")})
    if message.link:
        button = {"type": "button", "text": _plain("Open"), "url": message.link, "action_id": "open"}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": _escaped(message.title), "blocks": blocks, "unfurl_links": False}


def teams(message: ChatMessage) -> dict[str, Any]:
    """An adaptive card of text runs, which take no Markdown."""
    body: list[dict[str, Any]] = [_runs({"text": message.title, "weight": "Bolder", "size": "Medium"})]
    for name, value in message.facts:
        body.append(_runs({"text": f"{name}: ", "weight": "Bolder"}, {"text": value}))
    if message.quote:
        body.append(_runs({"text": f"“{message.quote}”", "italic": True}))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": message.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _runs(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run} for run in runs]}


def _escaped(text: str) -> str:
    """The three characters that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
