"""What a mail says: the same words as plain text and as HTML without pictures, script or anything that is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.outreach.domain.colours import on_dark, on_light
from services.outreach.domain.page_words import page_words
from services.outreach.domain.surveys import Survey
from services.outreach.domain.voice import Voice
from shared.mail import Letter, Mailbox

MailKind = Literal["invite", "reminder", "test"]
COLOUR: Final = "#0b5cad"
"""Of links and buttons where the survey has none; as on the page."""
HTML: Final = Environment(
    loader=PackageLoader("services.outreach.gateways"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
TEXT: Final = HTML.overlay(autoescape=False)


@dataclass(frozen=True, slots=True)
class Addressed:
    """To whom a mail speaks, and who speaks, as far as placeholders say it."""

    name: str | None
    account_name: str | None
    sender_name: str | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A mail with a question, before it has words. `number` counts the reminders from 1. `references`: message ids of
    the mails before, the first one first. `heard`: what was changed after earlier answers. `incentive` and
    `legal_basis` are those of the programme."""

    kind: MailKind
    survey: Survey
    language: str
    sender: Mailbox
    to: Mailbox
    account_name: str | None
    ask_url: str
    stop_url: str
    message_id: str
    at: datetime
    number: int = 1
    reply_to: Mailbox | None = None
    references: Sequence[str] = ()
    heard: str | None = None
    incentive: str | None = None
    legal_basis: str | None = None
    for_relay: Mapping[str, str] = field(default_factory=dict)


def letter_of(mail: Invitation) -> Letter:
    """The mail in its words. Raises ValueError for an address that is none."""
    survey, words = mail.survey, page_words(mail.language)
    voice = Voice(survey, Addressed(mail.to.name or None, mail.account_name, mail.sender.name or None), mail.language)
    subject, notes = voice.subject, []
    if mail.kind == "reminder":
        subject = voice.reminder_subject(mail.number)
    if mail.kind == "test":
        subject = f"[Test] {subject}"
        notes.append(words.say("mail_test"))
    low, high = survey.scale
    start, end = "left", "right"
    if voice.direction == "rtl":
        start, end = end, start
    content = {
        "voice": voice,
        "words": words,
        "subject": subject,
        "notes": notes,
        "intro": _paragraphs(voice.intro),
        "scores": range(low, high + 1),
        "ask_url": mail.ask_url,
        "after": _after(mail, voice),
        "small": _small(mail, voice),
        "links": _links(mail),
        "light": on_light(survey.colour or COLOUR),
        "dark": on_dark(survey.colour or COLOUR),
        "start": start,
        "end": end,
    }
    return Letter(
        sender=mail.sender,
        to=mail.to,
        subject=subject,
        text=TEXT.get_template("mail.txt").render(content),
        html=HTML.get_template("mail.html").render(content),
        message_id=mail.message_id,
        at=mail.at,
        reply_to=mail.reply_to,
        references=mail.references,
        stop_url=mail.stop_url,
        for_relay=mail.for_relay,
    )


def _after(mail: Invitation, voice: Voice) -> list[str]:
    """What follows the question."""
    said = []
    if mail.heard:
        said.append(f"{page_words(mail.language).say('mail_heard')} {mail.heard}")
    if mail.incentive:
        said.append(mail.incentive)
    return [*said, *_paragraphs(voice.sign_off)]


def _small(mail: Invitation, voice: Voice) -> list[str]:
    """Who writes, why, and who reads the answer: what the law wants to be said."""
    words, legal = page_words(mail.language), mail.survey.legal
    why = words.say("mail_why", account=mail.account_name or "", us=voice.us)
    lines = [voice.who_reads, why, mail.legal_basis, legal.legal_name, legal.postal_address]
    return [line for line in lines if line]


def _links(mail: Invitation) -> list[tuple[str, str]]:
    words, legal = page_words(mail.language), mail.survey.legal
    links = [
        (words.say("imprint"), legal.imprint_url),
        (words.say("privacy"), legal.privacy_url),
        (words.say("stop_all"), mail.stop_url),
    ]
    return [(label, url) for label, url in links if url]


def _paragraphs(text: str) -> list[str]:
    return [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]
