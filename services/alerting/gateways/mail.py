"""Mail by SMTP: one plain-text message to one address. What strangers wrote becomes text of a header and no header."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import aiosmtplib

from shared.mail import Letter, Mailbox, message_of, wire_address

Security = Literal["starttls", "tls", "none"]
TIMEOUT_S = 20.0
NOT_CONFIGURED, INVALID_ADDRESS = "not_configured", "invalid_address"
AWAY = "unreachable"
"""There is no connection to the server, or it closes (421): it has not taken the mail."""
CLOSING = 421


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and from whom it comes. `password` is never logged or shown."""

    host: str
    port: int
    security: Security
    sender: str
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"MailServer(host={self.host!r}, port={self.port!r}, security={self.security!r})"


@dataclass(frozen=True, slots=True)
class Mail:
    """One message. `message_id` stays the same when it is sent again, so that a repeat can be recognised."""

    to: str
    subject: str
    text: str
    message_id: str
    at: datetime

    def letter(self, sender: str) -> Letter:
        """With the address from which it comes."""
        return Letter(Mailbox(sender), Mailbox(self.to), self.subject, self.text, self.message_id, self.at)


class Mailer:
    """Hands mail over; answers what went wrong, and never raises for what the network or the server does."""

    def __init__(self, server: MailServer | None) -> None:
        self._server = server

    @property
    def configured(self) -> bool:
        """Whether there is a server to hand mail to."""
        return self._server is not None

    async def send(self, mail: Mail) -> str | None:
        """None when the server has taken it, else the class of the failure."""
        server = self._server
        if server is None:
            return NOT_CONFIGURED
        try:
            # As bytes, since aiosmtplib would write a message by a policy that refuses nothing.
            content, recipient = message_of(mail.letter(server.sender)), wire_address(mail.to)
        except ValueError:
            return INVALID_ADDRESS
        smtp = _client(server)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await smtp.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            return _class_of(error, AWAY)
        try:
            async with asyncio.timeout(TIMEOUT_S), smtp:
                await smtp.sendmail(server.sender, [recipient], content)
        except (aiosmtplib.SMTPException, OSError) as error:
            return _class_of(error, "disconnected")
        except ValueError:  # a local part in another script, which the server was not asked to take
            return INVALID_ADDRESS
        return None


def _client(server: MailServer) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user or None,
        password=server.password or None,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        timeout=TIMEOUT_S,
    )


def _class_of(error: Exception, broken_off: str) -> str:
    """What went wrong; `broken_off`: what it is that the connection breaks off at this step, or is never there."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        if error.code == CLOSING:
            return AWAY
        return f"smtp_{error.code}"
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        if error.recipients[0].code == CLOSING:
            return AWAY
        return "recipient_refused"
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return "tls"
    if isinstance(error, TimeoutError) and broken_off != AWAY:
        return "timeout"
    return broken_off
