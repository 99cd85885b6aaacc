"""Mail by SMTP: one plain-text message to one address. What strangers wrote becomes text of a header and no header."""

import asyncio
import re
import ssl
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any, Literal

import aiosmtplib

Security = Literal["starttls", "tls", "none"]
TIMEOUT_S = 20.0
NOT_CONFIGURED, INVALID_ADDRESS = "not_configured", "invalid_address"
_ENCODED_WORD = "=?"
"""How an encoded word (RFC 2047) begins: `=?utf-8?q?=0d=0a?=` is a line break to whoever decodes it."""
_NOT_OF_A_LINE = ("Cc", "Cs")
"""Unicode categories: control characters, and surrogates, which cannot be sent."""
_CONTINUED = re.compile(rb"\r\n(?=[ \t])")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


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
            return NOT_CONFIGURED
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await aiosmtplib.send(
                    # As bytes, since aiosmtplib would write a message by a policy that refuses nothing.
                    message_of(mail, server.sender).as_bytes(),
                    sender=server.sender,
                    recipients=[Address(addr_spec=mail.to).addr_spec],
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
        except (aiosmtplib.SMTPException, OSError):
            return "unreachable"
        except ValueError:
            return INVALID_ADDRESS
        return None


class RefusingPolicy(EmailPolicy):
    """SMTP's, and a header that would end early or begin another one is refused: Pythons before 3.11.10 write it."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header as it is sent. Raises ValueError."""
        folded = super().fold_binary(name, value)
        if _CONTROL.search(_CONTINUED.sub(b"", folded.removesuffix(b"\r\n"))):
            raise ValueError(f"the header {name} would hold control characters")
        return folded


_POLICY = RefusingPolicy(linesep="\r\n")


def line_of(text: str) -> str:
    """Text for a header: one line without control characters, and nothing in it that is decoded once more."""
    kept = "".join(" " if unicodedata.category(sign) in _NOT_OF_A_LINE else sign for sign in text)
    return " ".join(kept.replace(_ENCODED_WORD, "= ?").split())


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The message with its headers. Raises ValueError for an address that is none."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = line_of(mail.subject)
    message["Date"] = mail.at
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
