"""A real SMTP server that refuses, forgets, hangs up or keeps mails as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

OK = "250 OK"


@dataclass
class RelayOfTests:
    """Answers MAIL, RCPT and DATA with `mail`, `rcpt` (by recipient, or for all under "") and `data`; 250 where nothing
    is given. `hang_up_after_data`: it takes the mail and closes the connection without an answer."""

    port: int = 0
    mail: str = OK
    rcpt: dict[str, str] = field(default_factory=dict)
    data: str = OK
    hang_up_after_data: bool = False
    connections: int = 0
    senders: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    smtputf8: bool = True

    @property
    def mails(self) -> list[EmailMessage]:
        """What was taken, read."""
        return [cast(EmailMessage, message_from_bytes(raw, policy=cast(Any, default))) for raw in self.contents]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse the sender."""
        if self.mail == OK:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.mail

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        answer = self.rcpt.get(address, self.rcpt.get("", OK))
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take or refuse a mail."""
        if self.data != OK:
            return self.data
        assert isinstance(envelope.content, bytes)
        self.contents.append(envelope.content)
        self.senders.append(str(envelope.mail_from))
        self.recipients += [str(recipient) for recipient in envelope.rcpt_tos]
        if self.hang_up_after_data:
            assert server.transport is not None
            cast(asyncio.WriteTransport, server.transport).abort()
        return OK


@asynccontextmanager
async def relay(house: RelayOfTests | None = None, port: int = 0) -> AsyncIterator[RelayOfTests]:
    """A listening relay."""
    house = house or RelayOfTests()

    def connected() -> SMTP:
        house.connections += 1
        return SMTP(house, enable_SMTPUTF8=house.smtputf8)

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", port)
    house.port = server.sockets[0].getsockname()[1]
    try:
        yield house
    finally:
        server.close()
        await server.wait_closed()
