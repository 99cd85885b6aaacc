"""Mail by SMTP: one plain-text message to one address."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

import aiosmtplib

Security = Literal["starttls", "tls", "none"]
TIMEOUT_S = 20.0


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
            return "not_configured"
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await aiosmtplib.send(
                    message_of(mail, server.sender),
                    hostname=server.host,
                    port=server.port,
                    username=server.user or None,
                    password=server.password or None,
                    use_tls=server.security == "tls",
                    start_tls=server.security == "starttls",
                    timeout=TIMEOUT_S,
                )
        except aiosmtplib.SMTPResponseException as error:
            return f"smtp_{error.code}"
        except aiosmtplib.SMTPRecipientsRefused:
            return "recipient_refused"
        except (aiosmtplib.SMTPTimeoutError, TimeoutError):
            return "timeout"
        except ssl.SSLError:
            return "tls"
        except (aiosmtplib.SMTPException, OSError, ValueError):
            return "unreachable"
        return None


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The message with its headers. Raises ValueError for an address that is none."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = mail.at
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
