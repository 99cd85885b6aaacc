"""The printed form of a key, `tb_<id>_<secret>`, and its hash. Nothing else that is printed begins with `tb_`."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field

ID_LENGTH = 12
SECRET_BYTES = 32
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_FORM = re.compile(r"(?P<kind>tb|pk)_(?P<id>[a-z0-9]{12})_(?P<secret>[A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Token:
    """A key as its holder shows it. Publishable ones begin with `pk_`."""

    key_id: str
    secret: str = field(repr=False)
    publishable: bool = False

    def printed(self) -> str:
        """The form that people copy."""
        kind = "tb"
        if self.publishable:
            kind = "pk"
        return f"{kind}_{self.key_id}_{self.secret}"

    def digest(self) -> bytes:
        """What is stored: SHA-256 of the secret, which holds 256 random bits and so needs no slow hash."""
        return hashlib.sha256(self.secret.encode()).digest()


def new_token(*, publishable: bool = False) -> Token:
    """A fresh random key."""
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))
    return Token(key_id, secrets.token_urlsafe(SECRET_BYTES), publishable)


def parse_token(text: str) -> Token | None:
    """Read a printed key; None when the text has another form."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    return Token(match["id"], match["secret"], match["kind"] == "pk")
