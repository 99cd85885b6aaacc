"""Output of `tellback webhook-listen`: for people, or one line of JSON."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.json import JSON
from rich.text import Text

from services.cli.console import say

if TYPE_CHECKING:
    from services.cli.webhook_listen import Heard

_INDENT = Text(" " * 10)


def print_json_line(heard: "Heard") -> None:
    """Print one webhook as one line of JSON."""
    shown = {
        "at": heard.at.isoformat().replace("+00:00", "Z"),
        "webhook_id": heard.id,
        "type": heard.type,
        "attempt": heard.attempt,
        "repeat": heard.repeat,
        "verified": heard.verified,
        "reason": heard.reason or None,
        "answered": heard.answered,
        "body": heard.body,
    }
    say(json.dumps(shown, ensure_ascii=False))


def print_for_people(heard: "Heard", *, brief: bool, width: int | None) -> None:
    """Print one webhook: its type, whether it verified, whom it concerns, and its JSON unless `brief`."""
    console = Console(width=width, highlight=False, soft_wrap=True)
    console.print(_headline(heard))
    for line in summary(heard.body):
        console.print(_INDENT + Text(line))
    if not brief:
        body = heard.body
        shown = Text(str(body))
        if isinstance(body, dict | list):
            shown = JSON.from_data(body).text
        for part in shown.split():
            console.print(_INDENT + part)
        console.print()


def _headline(heard: "Heard") -> Text:
    line = Text(f"{heard.at.astimezone():%H:%M:%S}  ").append(heard.type, "bold").append("  ")
    if heard.verified is None:
        line.append("not verified: there is no secret", "yellow")
    elif heard.verified:
        line.append("verified", "bold green")
    else:
        line.append(f"NOT VERIFIED: {heard.reason}", "bold red")
    style = "dim"
    if heard.answered >= 300:
        style = "red"
    line.append(f"  attempt {heard.attempt}  answered {heard.answered}", style)
    if heard.repeat:
        line.append("  seen before", "yellow")
    if (late := _seconds_since(heard)) is not None:
        line.append(f"  {late:.2f} s after it happened", "dim")
    return line.append(f"  {heard.id}", "dim")


def summary(body: Any) -> list[str]:
    """A few lines that say whom a webhook concerns and what is to be done."""
    data = None
    if isinstance(body, dict):
        data = body.get("data")
    if not isinstance(data, dict):
        return []
    account, person, answer, task = (data.get(name) or {} for name in ("account", "stakeholder", "response", "task"))
    lines = [
        _joined(account.get("name") or account.get("account_id"), person.get("name") or person.get("stakeholder_id"))
    ]
    if answer:
        comment = answer.get("comment") or ""
        if comment:
            comment = f"“{comment[:120]}”"
        lines.append(_joined(f"score {answer.get('score')}", answer.get("category"), comment))
    if task:
        lines.append(_task_line(task))
    return list(filter(None, lines))


def _task_line(task: dict[str, Any]) -> str:
    parts = [f"follow-up: {task.get('title') or task.get('kind')}", task.get("severity"), task.get("state")]
    if task.get("due_at"):
        parts.append(f"due {task['due_at']}")
    owner = task.get("owner") or {}
    if name := owner.get("name") or owner.get("email"):
        parts.append(f"owner {name}")
    return _joined(*parts)


def _joined(*parts: str | None) -> str:
    return " · ".join(filter(None, parts))


def _seconds_since(heard: "Heard") -> float | None:
    try:
        return (heard.at - datetime.fromisoformat(heard.body["timestamp"])).total_seconds()
    except (TypeError, KeyError, ValueError):
        return None
