"""A real SMTP server on a loopback port that keeps every mail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

REFUSED = "451 try later"
TAKEN = "250 OK"


@dataclass
class MailServer:
    """Accepts mail after refusing the first `refuse` ones."""

    port: int = 0
    refuse: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    """The raw mails."""
    recipients: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Accept or refuse one mail."""
        if self.refuse:
            self.refuse -= 1
            return REFUSED
        content = envelope.content
        assert isinstance(content, bytes)
        self.contents.append(content)
        self.mails.append(cast(EmailMessage, message_from_bytes(content, policy=cast(Any, default))))
        self.recipients += [str(recipient) for recipient in envelope.rcpt_tos]
        return TAKEN

    def settings(self) -> dict[str, str]:
        """The variables that make alerting send mail here."""
        return {
            "TELLBACK_ALERTING_SMTP_HOST": "127.0.0.1",
            "TELLBACK_ALERTING_SMTP_PORT": str(self.port),
            "TELLBACK_ALERTING_SMTP_SECURITY": "none",
            "TELLBACK_ALERTING_MAIL_FROM": "tellback@supplier.example",
        }


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    return str(mail.get_content())


@asynccontextmanager
async def mail_server(house: MailServer | None = None, port: int = 0) -> AsyncIterator[MailServer]:
    """A listening server, one of its own unless given, on a free port unless one is named."""
    house = house or MailServer()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(house, enable_SMTPUTF8=True), "127.0.0.1", port
    )
    house.port = server.sockets[0].getsockname()[1]
    try:
        yield house
    finally:
        server.close()
        await server.wait_closed()
