"""DKIM: what was signed verifies, what was changed does not, and nobody can add a sender."""

from datetime import UTC, datetime

import pytest

from services.outreach.domain.relay import DkimKey
from services.outreach.gateways.signing import signed
from shared.mail import Letter, Mailbox, message_of
from tests.support.dkim_keys import made_pair, verifies

STOP = f"https://{'h' * 60}.example/u/{'B' * 44}"
CONTENT = message_of(
    Letter(
        Mailbox("lea@supplier.example", "Léa"),
        Mailbox("ann@acme.example"),
        "Wie läuft es?",
        "Grüße\n",
        "<1@ask.supplier.example>",
        datetime(2026, 6, 9, tzinfo=UTC),
        html="<p>Grüße</p>",
        stop_url=STOP,
    )
)


@pytest.fixture(scope="module")
def pair() -> tuple[DkimKey, bytes]:
    """A key, and the record of its public half."""
    return made_pair()


def test_d1_what_was_signed_verifies(pair: tuple[DkimKey, bytes]) -> None:
    assert verifies(signed(CONTENT, pair[0]), pair[1])


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"Subject: ", b"Subject: Re: "), (b"/u/BB", b"/u/CC"), (b"One-Click", b"One-Clack"), (b"Gr=C3", b"Gr=C4")],
)
def test_d1_what_was_changed_does_not(pair: tuple[DkimKey, bytes], before: bytes, after: bytes) -> None:
    mail = signed(CONTENT, pair[0])
    assert before in mail
    assert not verifies(mail.replace(before, after), pair[1])


@pytest.mark.parametrize("header", [b"From: eve@evil.example\r\n"])
def test_d1_no_second_sender_can_be_added(pair: tuple[DkimKey, bytes], header: bytes) -> None:
    assert not verifies(header + signed(CONTENT, pair[0]), pair[1])
    assert not verifies(signed(CONTENT, pair[0]).replace(b"To: ann", header + b"To: ann"), pair[1])


def test_without_a_key_the_relay_signs() -> None:
    assert signed(CONTENT, None) == CONTENT


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot sign"):
        signed(CONTENT, DkimKey("supplier.example", "t1", b"no key"))
