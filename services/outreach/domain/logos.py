"""Logos of companies: small pictures that every browser shows and that hold nothing but a picture."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

MAX_BYTES: Final = 200_000
_LOGO = re.compile(r"[0-9a-f]{32}")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture. `logo` is its name, 32 hexadecimal digits made of its content; `kind` its media type."""

    logo: str
    kind: str
    content: bytes


def is_logo(text: str) -> bool:
    """Whether it has the form of a logo's name."""
    return _LOGO.fullmatch(text) is not None


def logo_of(content: bytes) -> Logo:
    """The picture with its name. Raises ValueError for more than `MAX_BYTES`, and for what is no PNG, JPEG or WebP:
    the first bytes say so, not the sender. SVG is not taken, since it may hold scripts."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"a logo has at most {MAX_BYTES:,} bytes")
    if content.startswith(_PNG):
        kind = "image/png"
    elif content.startswith(_JPEG):
        kind = "image/jpeg"
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        kind = "image/webp"
    else:
        raise ValueError("a logo is a PNG, a JPEG or a WebP")
    return Logo(sha256(content).hexdigest()[:32], kind, content)
