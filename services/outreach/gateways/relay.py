"""The mail relay, one connection for many mails, in two steps: first it says whether it takes a mail from us for a
person, then it is given the mail. Between the two the sender notes that the mail may be on its way (`data_started_at`),
so that a crash neither loses it nor sends it twice."""

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import aiosmtplib
from aiosmtplib import SMTP, SMTPResponseException

from services.outreach.domain.relay import RelaySettings

TroubleKind = Literal["later", "recipient", "policy", "away", "unknown"]
AGAIN: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""When a mail that the relay put off is offered again, by how often it did; then every hour."""
STEP_SECONDS: Final = 30.0
DATA_SECONDS: Final = 120.0
LONGEST_REPLY: Final = 300
_CLOSING: Final = 421
_POLICY_STATUS = re.compile(r"5\.7\.\d")
"""Enhanced status codes (RFC 3463) of security and policy, such as 5.7.1: relaying denied."""
_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")
_AUTH: Final = (534, 535, 538)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a mail was not taken.

    `later`: the relay says so (4xx); the same mail again. `recipient`: it refuses the person for good (5xx after RCPT).
    `policy`: it refuses us: the sender, the password or the content. `away`: there is no connection, or it is closed.
    `unknown`: the mail was given and the answer did not come.
    """

    kind: TroubleKind
    reply: str

    @property
    def counts(self) -> bool:
        """Whether it was an attempt: a relay that is away was not asked."""
        return self.kind != "away"


def again_after(attempts: int, trouble: Trouble) -> timedelta:
    """When a mail is offered again after a trouble, by how often the relay was asked: soon where it is only away."""
    if not trouble.counts:
        return AGAIN[0]
    return AGAIN[min(attempts, len(AGAIN)) - 1]


class Relay:
    """One connection, opened when it is needed. Not for two mails at once."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._smtp: SMTP | None = None

    async def offer(self, envelope_sender: str, recipient: str) -> Trouble | None:
        """Ask whether the relay takes a mail; None if it does. A trouble ends the mail at the relay."""
        try:
            smtp = await self._connected()
            options = []
            if not recipient.isascii():
                options.append("SMTPUTF8")
            await smtp.mail(envelope_sender, options=options, encoding="utf-8")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return await self._trouble(error, "policy")
        try:
            await smtp.rcpt(recipient, encoding="utf-8")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return await self._trouble(error, "recipient")
        return None

    async def give(self, content: bytes) -> Trouble | None:
        """Give the mail that was offered last; None when the relay has taken it."""
        smtp = self._smtp
        if smtp is None:
            return Trouble("away", "the connection is closed")
        try:
            await smtp.data(content, timeout=DATA_SECONDS)
        except SMTPResponseException as error:
            if not 400 <= error.code < 600:  # no answer that says that it was not taken
                await self.close()
                return Trouble("unknown", _said(error))
            return await self._trouble(error, "policy")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            await self.close()
            return Trouble("unknown", _said(error))
        return None

    async def supports_smtputf8(self) -> bool:
        """Whether the relay takes addresses in every script. True while it is away, since nothing is known then."""
        try:
            return (await self._connected()).supports_extension("smtputf8")
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            await self.close()
            return True

    async def close(self) -> None:
        """End the connection; the next mail opens another one."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    async def quit(self) -> None:
        """End the connection as SMTP wants it."""
        if self._smtp is not None:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await self._smtp.quit(timeout=STEP_SECONDS)
        await self.close()

    async def _connected(self) -> SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        settings = self._settings
        smtp = SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            username=settings.user or None,
            password=settings.password or None,
            timeout=STEP_SECONDS,
        )
        async with asyncio.timeout(2 * STEP_SECONDS):
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
        self._smtp = smtp
        return smtp

    async def _trouble(self, error: Exception, refused: TroubleKind) -> Trouble:
        """What an error says; `refused`: whom a 5xx refuses at this step. After it the connection is ready for the next
        mail, or closed."""
        if not isinstance(error, SMTPResponseException) or error.code in (_CLOSING, *_AUTH):
            await self.close()
        if isinstance(error, ssl.SSLError) or not isinstance(error, SMTPResponseException) or error.code == _CLOSING:
            return Trouble("away", _said(error))
        if error.code in _AUTH:
            return Trouble("policy", _said(error))
        await self.forget()
        if error.code < 500:
            return Trouble("later", _said(error))
        if _POLICY_STATUS.match(error.message):  # it refuses us, whatever it was asked for
            return Trouble("policy", _said(error))
        return Trouble(refused, _said(error))

    async def forget(self) -> None:
        """Forget the mail that was offered (RSET)."""
        if self._smtp is None:
            return
        try:
            await self._smtp.rset(timeout=STEP_SECONDS)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            await self.close()


def _said(error: Exception) -> str:
    """The reply of the relay, or what happened instead, on one line and without addresses: it is logged and kept."""
    text = str(error)
    if isinstance(error, SMTPResponseException):
        text = f"{error.code} {error.message}"
    text = _ADDRESS.sub("(address)", text or type(error).__name__)
    return " ".join(text.split())[:LONGEST_REPLY]
