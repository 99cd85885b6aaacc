"""DKIM (RFC 6376): mails are signed here, so that the signature covers what one-click stopping needs (RFC 8058, 4)."""

from base64 import b64encode
from email import message_from_bytes
from typing import Final

import dkim
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

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


def public_key(key: DkimKey) -> str:
    """The public half as `p=` of the record has it, base64. Raises ValueError for a key that cannot be read or is not
    of RSA."""
    try:
        private = load_pem_private_key(key.private_key, password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("the DKIM key cannot be read") from error
    if not isinstance(private, RSAPrivateKey):
        raise ValueError("the DKIM key must be of RSA")
    return b64encode(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
