"""Mails as `tellback mail-listen` shows them: for people, or one line of JSON."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.text import Text

_LINK = re.compile(r"https?://[^\s<>\"']+")
_HREF = re.compile(r"href=\"([^\"]*)\"")
_HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that would move the terminal's cursor, or turn the line round."""
_UNREADABLE = (MessageError, LookupError, ValueError, AttributeError, TypeError)
"""What the parser raises for headers and bodies that break the rules; which one differs between Pythons."""
_INDENT = Text(" " * 10)


@dataclass(frozen=True, slots=True)
class ShownMail:
    """One mail. `envelope_sender`: where bounces of it would go; `text`: its plain text, or its HTML where it has none;
    `links`: all of the text, then those that only the HTML has, then the one that stops further mails."""

    at: datetime
    envelope_sender: str
    recipients: tuple[str, ...]
    sender: str
    to: str
    subject: str
    text: str
    links: tuple[str, ...]
    file: Path


def shown_mail(content: bytes, at: datetime, envelope_sender: str, recipients: Sequence[str], file: Path) -> ShownMail:
    """Read a mail. What cannot be read of it is left out: whoever tries something out wants to see the rest."""
    message = cast(EmailMessage, message_from_bytes(content, policy=cast(Any, policy.default)))
    text, html = _body(message, "plain"), _body(message, "html")
    found = _LINK.findall(text)
    for link in _HREF.findall(html):
        found.append(unescape(link))
    found += _LINK.findall(_header(message, "List-Unsubscribe"))
    return ShownMail(
        at=at,
        envelope_sender=envelope_sender,
        recipients=tuple(recipients),
        sender=_header(message, "From"),
        to=_header(message, "To"),
        subject=_header(message, "Subject"),
        text=text or html,
        links=tuple(dict.fromkeys(found)),
        file=file,
    )


def json_line(mail: ShownMail) -> str:
    """The mail as one line of JSON."""
    shown = {
        "at": mail.at.isoformat().replace("+00:00", "Z"),
        "envelope_sender": mail.envelope_sender,
        "recipients": mail.recipients,
        "from": mail.sender,
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "links": mail.links,
        "file": str(mail.file),
    }
    return json.dumps(shown, ensure_ascii=False)


def print_for_people(mail: ShownMail, *, brief: bool, width: int | None) -> None:
    """Print who writes to whom and about what, the text unless `brief`, and the links that the text does not show."""
    console = Console(width=width, highlight=False, soft_wrap=True)
    headline = Text(f"{mail.at.astimezone():%H:%M:%S}  ").append(_visible(mail.subject), "bold")
    console.print(headline)
    console.print(_INDENT + Text(_visible(f"from {mail.sender} to {mail.to}")))
    text = ""
    if not brief:
        text = mail.text
        for line in text.splitlines():
            console.print(_INDENT + Text(_visible(line)))
    for link in mail.links:
        if link not in text:
            console.print(_INDENT + Text(_visible(link), "cyan"))
    console.print(_INDENT + Text(str(mail.file), "dim"))


def _body(message: EmailMessage, kind: str) -> str:
    """The part of the mail in this form; empty where there is none that can be read."""
    try:
        part = message.get_body((kind,))
        if part is None:
            return ""
        return str(part.get_content()).replace("\r\n", "\n").strip()
    except _UNREADABLE:
        return ""


def _header(message: EmailMessage, name: str) -> str:
    """A header as people read it; empty where there is none that can be read."""
    try:
        return str(message.get(name, ""))
    except _UNREADABLE:
        return ""


def _visible(text: str) -> str:
    return _HIDDEN.sub("�", text)
