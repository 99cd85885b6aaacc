"""Addresses of mail in the one form in which they are compared and hashed."""

import unicodedata

import idna

MAX_LENGTH = 254


def domain_of(email: str) -> str:
    """The domain of an address as it was written, in lower case."""
    return email.rpartition("@")[2].lower()


def canonical_address(text: str) -> str:
    """Trimmed, NFC, in lower case, the domain as A-label; dots and plus signs of the local part stay.

    Raises ValueError for what is no address that mail can be sent to.
    """
    local, at, domain = unicodedata.normalize("NFC", text).strip().rpartition("@")
    if not (local and at and domain) or any(not sign.isprintable() or sign.isspace() for sign in local + domain):
        raise ValueError("must be an e-mail address")
    try:
        name = idna.encode(domain.lower(), uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise ValueError("must have a domain that exists in the DNS's alphabet") from None
    address = f"{unicodedata.normalize('NFC', local.lower())}@{name}"
    if "." not in name or len(address) > MAX_LENGTH:
        raise ValueError("must be an e-mail address")
    return address
