"""DKIM (RFC 6376): mails are signed here, so that the signature covers what one-click stopping needs (RFC 8058, 4)."""

from email import message_from_bytes
from typing import Final

import dkim

from services.outreach.domain.relay import DkimKey

SIGNED: Final = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)


def signed(content: bytes, key: DkimKey | None) -> bytes:
    """The mail with its signature (relaxed/relaxed, rsa-sha256); as it is where the relay signs. From is named once
    more than it stands there, so that nobody can add another one.

    Raises ValueError for a key that cannot be read.
    """
    if key is None:
        return content
    there = {name.lower() for name in message_from_bytes(content)}
    names = [name.lower().encode() for name in SIGNED if name.lower() in there]
    try:
        signature = dkim.sign(
            content,
            key.selector.encode(),
            key.domain.encode(),
            key.private_key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[*names, b"from"],
        )
    except dkim.DKIMException as error:
        raise ValueError(f"the DKIM key cannot sign: {error}") from None
    return bytes(signature) + content
