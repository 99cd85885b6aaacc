"""Mails that came back, in words."""

from collections.abc import Mapping
from typing import Final

KINDS: Final[Mapping[str, str]] = {
    "hard": "the address takes no mail",
    "soft": "it takes no mail just now",
    "complaint": "called spam",
    "auto_reply": "an automatic reply",
    "other": "something else",
}
EFFECTS: Final[Mapping[str, str]] = {
    "bounced": "nobody writes to them until the address is corrected",
    "counted": "noted: a second one lets them rest",
    "held": "they rest for 30 days",
    "objected": "counts as an objection",
    "too_old": "none: the mail had gone long before",
    "none": "none",
    "unmatched": "none: it names no mail of ours",
}
CORRECTABLE: Final = ("bounced", "counted", "held", "too_old")
"""Effects after which another address may help."""


def kind_words(kind: str, status: str | None) -> str:
    """What was said of the mail: `the address takes no mail (5.1.1)`."""
    words = KINDS.get(kind, kind.replace("_", " "))
    if status:
        return f"{words} ({status})"
    return words
