"""Mails as bytes: what strangers wrote becomes text of a header and no header, and long addresses stay whole."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any, Final

import idna

LONGEST_LINE: Final = 998
"""Of a header. Shorter ones would be cut into encoded words (RFC 2047), in which no program finds an address: a
List-Unsubscribe with a long host would not work. 998 is what RFC 5322 allows."""
LONGEST_NAME: Final = 80
_ENCODED_WORD = "=?"
"""How an encoded word begins: `=?utf-8?q?=0d=0a?=` is a line break to whoever decodes it."""
_NOT_OF_A_LINE = ("Cc", "Cs")
"""Unicode categories: control characters, and surrogates, which cannot be sent."""
_TURNING = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f\x80-\x9f]")
_CONTINUED = re.compile(rb"\r\n(?=[ \t])")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with the name that stands before it."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person. `message_id` (with its angle brackets) stays the same when it is sent again, so that a
    repeat can be recognised; `references`: ids of the mails that it follows, the last one it answers. `stop_url`: where
    one click stops all further ones (RFC 8058). `for_relay`: headers by which a provider gives back what it is told."""

    sender: Mailbox
    to: Mailbox
    subject: str
    text: str
    message_id: str
    at: datetime
    html: str | None = None
    reply_to: Mailbox | None = None
    references: Sequence[str] = ()
    stop_url: str | None = None
    for_relay: Mapping[str, str] = field(default_factory=dict)


class RefusingPolicy(EmailPolicy):
    """SMTP's, and a header that would end early or begin another one is refused: Pythons before 3.11.10 write it."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header as it is sent. Raises ValueError."""
        folded = super().fold_binary(name, value)
        if _CONTROL.search(_CONTINUED.sub(b"", folded.removesuffix(b"\r\n"))):
            raise ValueError(f"the header {name} would hold control characters")
        return folded


_POLICY = RefusingPolicy(linesep="\r\n", max_line_length=LONGEST_LINE)
_UTF8_POLICY = _POLICY.clone(utf8=True)


def line_of(text: str) -> str:
    """Text for a header: one line without control characters, and nothing in it that is decoded once more."""
    kept = "".join(" " if unicodedata.category(sign) in _NOT_OF_A_LINE else sign for sign in _TURNING.sub("", text))
    return " ".join(kept.replace(_ENCODED_WORD, "= ?").split())


def wire_address(email: str) -> str:
    """The address as SMTP takes it: its domain as A-label. Raises ValueError for what is no address."""
    local, _, domain = email.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain.lower(), uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise ValueError("the domain of the address does not exist in the DNS's alphabet") from None
    if not local or not domain:
        raise ValueError("an address has a part before and after the @")
    try:
        # Letters of other scripts are as good as those of ASCII (RFC 6531), but the parser does not know them.
        Address(addr_spec=f"{_NOT_ASCII.sub('x', local)}@{domain}")
    except (HeaderParseError, IndexError):
        raise ValueError("is no address") from None
    return f"{local}@{domain}"


def needs_smtputf8(email: str) -> bool:
    """Whether only a server with SMTPUTF8 (RFC 6531) takes the address."""
    return not email.rpartition("@")[0].isascii()


def message_of(letter: Letter) -> bytes:
    """The mail as it is sent. Raises ValueError for an address that is none."""
    boxes = [letter.sender, letter.to, letter.reply_to or letter.sender]
    policy = _POLICY
    if any(needs_smtputf8(box.email) for box in boxes):
        policy = _UTF8_POLICY
    message = EmailMessage(policy=policy)
    message["From"] = _header(letter.sender)
    message["To"] = _header(letter.to)
    if letter.reply_to is not None:
        message["Reply-To"] = _header(letter.reply_to)
    message["Subject"] = line_of(letter.subject)
    message["Date"] = letter.at
    message["Message-ID"] = letter.message_id
    if letter.references:
        message["In-Reply-To"] = letter.references[-1]
        message["References"] = " ".join(letter.references)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's vacation answers it
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # the same for Exchange
    if letter.stop_url is not None:
        message["List-Unsubscribe"] = f"<{letter.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    for name, value in letter.for_relay.items():
        message[name] = value
    # Seven bits a byte: no server on the way has to convert it, which would break a signature.
    message.set_content(letter.text, cte="quoted-printable")
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def _header(box: Mailbox) -> Address:
    name = line_of(box.name)[:LONGEST_NAME].strip()
    address = wire_address(box.email)
    if address.isascii():
        return Address(name, addr_spec=address)
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain)
