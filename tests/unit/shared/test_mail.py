"""Mails as bytes: headers that stay whole, addresses in every script, and nothing smuggled in."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail import LONGEST_NAME, Letter, Mailbox, line_of, message_of, needs_smtputf8, wire_address

STOP = f"https://{'a' * 50}.survey.supplier.example/u/{'X' * 44}"
LETTER = Letter(
    sender=Mailbox("lea@supplier.example", "Léa Müller"),
    to=Mailbox("ann@acme.example", "Ann, of Acme"),
    subject="Wie läuft es? Zwei Minuten",
    text="Guten Tag\n\nhttps://ask.supplier.example/s/abc\n",
    message_id=f"<{'0' * 36}.reminder.2@ask.supplier.example>",
    at=datetime(2026, 6, 9, 8, tzinfo=UTC),
    html="<p>Guten Tag</p>",
    references=(f"<{'0' * 36}.invite.1@ask.supplier.example>",),
    stop_url=STOP,
)


def headers(content: bytes) -> list[str]:
    return content.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def test_h4_long_addresses_stay_whole_and_unencoded() -> None:
    lines = headers(message_of(LETTER))
    assert f"List-Unsubscribe: <{STOP}>" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert f"Message-ID: {LETTER.message_id}" in lines
    assert f"In-Reply-To: {LETTER.references[0]}" in lines


def test_h1_plain_text_comes_first_and_both_read_back() -> None:
    mail = cast(Any, message_from_bytes(message_of(LETTER), policy=cast(Any, default)))
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == LETTER.text
    assert mail["Subject"] == LETTER.subject
    assert mail["From"].addresses[0].display_name == "Léa Müller"
    assert mail["To"].addresses[0].display_name == "Ann, of Acme"


def test_h3_no_vacation_answers() -> None:
    lines = headers(message_of(LETTER))
    assert {"Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: OOF, AutoReply"} <= set(lines)
    assert not any(line.startswith("Precedence") for line in lines)


def test_h5_domains_are_a_labels_and_other_local_parts_need_smtputf8() -> None:
    assert wire_address("ann@müller.example") == "ann@xn--mller-kva.example"
    assert needs_smtputf8("jörg@acme.example")
    assert not needs_smtputf8("ann@müller.example")
    assert b"To: ann@xn--mller-kva.example" in message_of(replace(LETTER, to=Mailbox("ann@müller.example")))
    assert "To: jörg@acme.example".encode() in message_of(replace(LETTER, to=Mailbox("jörg@acme.example")))


@pytest.mark.parametrize("address", ["", "ann", "ann@", "a b@acme.example", "ann@acme.example\r\nBcc: eve@x.example"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        message_of(replace(LETTER, to=Mailbox(address)))


@given(text=st.text(max_size=200))
def test_h6_no_text_becomes_a_header_or_a_second_recipient(text: str) -> None:
    plain = {line.partition(":")[0] for line in headers(message_of(LETTER))}
    content = message_of(replace(LETTER, subject=text, to=Mailbox("ann@acme.example", text)))
    assert {line.partition(":")[0] for line in headers(content)} == plain
    mail = cast(Any, message_from_bytes(content, policy=cast(Any, default)))
    assert [box.addr_spec for box in mail["To"].addresses] == ["ann@acme.example"]


def test_names_are_bounded_and_do_not_turn_the_writing() -> None:
    assert line_of("Ann \u202eexe.doc\r\nBcc: x") == "Ann exe.doc Bcc: x"
    mail = cast(Any, message_from_bytes(message_of(replace(LETTER, to=Mailbox("a@b.example", "x" * 300)))))
    assert len(mail["To"]) < LONGEST_NAME + 30
