"""What a mail says that asks nothing: a few paragraphs and perhaps a link, as plain text and as HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.outreach.domain.colours import on_dark, on_light
from services.outreach.domain.languages import direction
from services.outreach.gateways.letters import COLOUR, HTML, TEXT
from shared.mail import Letter, Mailbox

Link = tuple[str, str]
"""What it is called, and where it leads."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a longer mail: its heading, a list, and what to open about it."""

    title: str
    lines: Sequence[str]
    link: Link


@dataclass(frozen=True, slots=True)
class Words:
    """What is said. `lines`: a list after the paragraphs; `parts`: parts with headings after it; `link`: what to open;
    `small` and `small_links`: at the foot, what the law wants to be said. `stop_url`: where one click stops all mails
    to the address."""

    subject: str
    paragraphs: Sequence[str]
    lines: Sequence[str] = ()
    parts: Sequence[Part] = ()
    link: Link | None = None
    after: Sequence[str] = ()
    small: Sequence[str] = ()
    small_links: Sequence[Link] = ()
    language: str = "en"
    stop_url: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A mail that asks nothing, to one person."""

    sender: Mailbox
    to: Mailbox
    words: Words
    message_id: str
    at: datetime
    for_relay: Mapping[str, str] = field(default_factory=dict)


def letter_of_note(note: Note) -> Letter:
    """The mail as it is sent. Raises ValueError for an address that is none."""
    words = note.words
    content = {
        "words": words,
        "direction": direction(words.language),
        "light": on_light(COLOUR).accent,
        "dark": on_dark(COLOUR).accent,
    }
    return Letter(
        sender=note.sender,
        to=note.to,
        subject=words.subject,
        text=TEXT.get_template("note.txt").render(content),
        html=HTML.get_template("note.html").render(content),
        message_id=note.message_id,
        at=note.at,
        stop_url=words.stop_url,
        for_relay=note.for_relay,
    )
