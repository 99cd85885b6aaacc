"""What strangers call themselves never becomes a header of our mails: as bytes, on the wire of a real mail server."""

import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message

import pytest

from services.alerting.gateways.mail import INVALID_ADDRESS, Mail, Mailer
from services.alerting.gateways.mail import MailServer as Server
from shared.mail import RefusingPolicy
from tests.integration.alerting.cases import Case
from tests.integration.alerting.test_notices import MINUTE, settled, telling
from tests.support.environment import Environment
from tests.support.mail import MailServer, mail_server

OURS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
]
INJECTED = "hi\r\nReply-To: evil@evil.example\r\n\r\nbody"
QUOTED = "=?utf-8?q?hi=0d=0aReply-To:=20evil@evil.example=0d=0a=0d=0abody?="
NAMES = [
    QUOTED,
    f"=?utf-8?b?{base64.b64encode(INJECTED.encode()).decode()}?=",
    f"=?utf-16?b?{base64.b64encode(INJECTED.encode('utf-16')).decode()}?=",
    f"=?utf-8?q?{QUOTED.replace('=', '=3D').replace('?', '=3F')}?=",
    "=?utf-8?q?a=0d?= =?utf-8?q?=0aReply-To:_evil@evil.example?=",
    "=?utf-8*en?q?=0aReply-To:_evil@evil.example?=",
    "Jörg =?utf-8?q?=0d=0aReply-To:_evil@evil.example?= Müller",
    "=?unknown?q?=0d=0aReply-To:_evil@evil.example?=",
    "=?utf-8?q?=0d=0a.=0d=0aMAIL_FROM:<evil@evil.example>?=",
    "=?=?utf-8?q?=0d=0aReply-To:_evil@evil.example?=?=",
    f"{'x' * 120} =?utf-8?q?=0d=0aReply-To:_evil@evil.example?=",
    INJECTED,
    "lone\rreturn",
    "next\x85line\u2028and\u2029paragraph\x0band\x0cpage\x1c",
    "bell\x07 escape\x1b[31m delete\x7f",
]


@pytest.fixture
async def post(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        for name, value in server.settings().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TELLBACK_ALERTING_NOTICE_POLL_S", "0.05")
        yield server


def only_ours(content: bytes) -> Message:
    """The mail as the simplest reader takes it, with our headers and no others."""
    mail = message_from_bytes(content)
    assert sorted(mail.keys()) == sorted(OURS)
    head = content.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", head)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", head)
    return mail


def mail_to(to: str, subject: str) -> Mail:
    return Mail(to, subject, "What was said.\n", "<one@tellback>", datetime(2026, 6, 8, tzinfo=UTC))


async def sent(post: MailServer, mail: Mail) -> str | None:
    return await Mailer(Server("127.0.0.1", post.port, "none", "tellback@supplier.example")).send(mail)


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_text_of_the_subject_and_nothing_else(post: MailServer, name: str) -> None:
    assert await sent(post, mail_to("ada@supplier.example", f"Critical: {name}, Acme")) is None
    mail = only_ours(post.contents[0])
    assert str(mail.get_payload()).strip() == "What was said."
    subject = str(post.mails[0]["Subject"]).strip()
    assert subject.startswith("Critical: ")
    assert subject.endswith(", Acme")
    assert all(sign.isprintable() for sign in subject)


async def test_an_ordinary_name_stays_as_it_is(post: MailServer) -> None:
    subject = "Critical: Jörg Müller 🎉 is 100% = sure?, Acme"
    assert await sent(post, mail_to("ada@supplier.example", subject)) is None
    assert post.mails[0]["Subject"] == subject


@pytest.mark.parametrize(
    "address",
    [
        '"=?utf-8?q?=0d=0aBcc:evil@evil.example?="@supplier.example',
        "=?utf-8?q?=0d=0aBcc:evil@evil.example?=@supplier.example",
        "ada@supplier.example\r\nBcc: evil@evil.example",
        "ada@supplier.example>\r\nRCPT TO:<evil@evil.example",
        "ada@supplier.example, evil@evil.example",
        "jörg@supplier.example",
    ],
)
async def test_an_address_that_is_none_is_given_up_and_nothing_is_sent(post: MailServer, address: str) -> None:
    assert await sent(post, mail_to(address, "Critical")) == INVALID_ADDRESS
    assert post.contents == []


def test_a_header_that_would_begin_another_one_is_refused_by_the_policy() -> None:
    message = EmailMessage(policy=RefusingPolicy(linesep="\r\n"))
    message["Subject"] = QUOTED
    with pytest.raises(ValueError, match="Subject"):
        message.as_bytes()


async def test_a_person_whose_id_holds_a_line_break_in_disguise_answers_and_the_notice_is_whole(
    environment: Environment, acme: Case, post: MailServer
) -> None:
    async with telling(environment) as alerting:
        await alerting.emit(acme.account(name=QUOTED), acme.answered("r1", 2, stakeholder_id=QUOTED))
        alerting.clock.advance(MINUTE)
        assert await settled(alerting, 1) == {"sent": 1}
    mail = only_ours(post.contents[0])
    assert mail["To"] == "olivia@supplier.example"
