"""Mails that ask nothing: the same words as text and as HTML, and nothing that anybody wrote becomes markup."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest

from services.outreach.gateways.notes import Note, Words, letter_of_note
from shared.mail import Mailbox, message_of

AT = datetime(2026, 6, 9, 10, tzinfo=UTC)
STOP = "https://ask.supplier.example/u/abc"
FULL = Words(
    subject="What we changed",
    paragraphs=["First <b>paragraph</b>.", "Second & last."],
    lines=["Acme Ltd: 2 people", "Bolt: 1 person"],
    link=("The list", "https://tellback.supplier.example/list"),
    after=["Thank you."],
    small=["Supplier Ltd", "1 Example Road"],
    small_links=[("Privacy", "https://supplier.example/privacy"), ("Stop", STOP)],
    stop_url=STOP,
)


def mail_of(words: Words) -> EmailMessage:
    note = Note(Mailbox("lea@supplier.example", "Lea"), Mailbox("ann@acme.example"), words, "<1@ask.example>", AT)
    return cast(EmailMessage, message_from_bytes(message_of(letter_of_note(note)), policy=cast(Any, default)))


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_the_plain_text_says_all_of_it_with_the_link_on_a_line_of_its_own() -> None:
    lines = part(mail_of(FULL), "plain").splitlines()
    for line in (
        "First <b>paragraph</b>.",
        "- Acme Ltd: 2 people",
        "https://tellback.supplier.example/list",
        "Thank you.",
        "1 Example Road",
        f"Stop: {STOP}",
    ):
        assert line in lines


def test_html_says_the_same_and_is_escaped() -> None:
    html = part(mail_of(FULL), "html")
    assert "First &lt;b&gt;paragraph&lt;/b&gt;." in html
    assert "<li>Bolt: 1 person</li>" in html
    assert 'href="https://tellback.supplier.example/list"' in html
    assert "<script" not in html
    assert "<img" not in html


def test_one_click_stops_only_where_there_is_something_to_stop() -> None:
    assert mail_of(FULL)["List-Unsubscribe"] == f"<{STOP}>"
    bare = mail_of(Words("Please check", ["Hello."]))
    assert bare["List-Unsubscribe"] is None
    assert bare["Auto-Submitted"] == "auto-generated"


def test_what_is_not_given_leaves_no_trace() -> None:
    text = part(mail_of(Words("Please check", ["Hello."])), "plain")
    assert "None" not in text
    assert "- " not in text.replace("-- ", "")
    html = part(mail_of(Words("Please check", ["Hello."])), "html")
    assert "<ul" not in html
    assert "<hr" not in html


@pytest.mark.parametrize(("language", "direction"), [("de", "ltr"), ("ar", "rtl"), ("pt-BR", "ltr")])
def test_the_language_and_its_direction_are_said(language: str, direction: str) -> None:
    html = part(mail_of(Words("x", ["y"], language=language)), "html")
    assert f'<html lang="{language}" dir="{direction}">' in html


@pytest.mark.parametrize("subject", ["Two\r\nBcc: all@acme.example", "=?utf-8?q?=0d=0aBcc:_x?=", "a\x00b"])
def test_a_subject_begins_no_other_header(subject: str) -> None:
    mail = mail_of(Words(subject, ["y"]))
    assert mail["Bcc"] is None
    assert mail["Subject"]


def test_an_address_that_is_none_is_refused() -> None:
    note = Note(Mailbox("lea@supplier.example"), Mailbox("nobody"), Words("x", ["y"]), "<1@ask.example>", AT)
    with pytest.raises(ValueError, match="address"):
        message_of(letter_of_note(note))
