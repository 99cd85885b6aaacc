"""Placeholders in the texts of surveys: a fixed few, no template language. One without a value shows its fallback."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final

PLACEHOLDERS: Final = ("us", "name", "account", "sender", "product")
SCORE: Final = "score"
"""Of the button that sends a score, and of nothing else; it always has a value."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_BLANK_BEFORE = re.compile(r"[ \u00a0]?\{([^{}]*)\}")
_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def used(text: str) -> frozenset[str]:
    """The names in braces, known or not."""
    return frozenset(_PLACEHOLDER.findall(text))


def fault(text: str, allowed: Collection[str] = PLACEHOLDERS) -> str | None:
    """`stray_brace` or `unknown_placeholder`; None for a text that can be shown."""
    rest = _PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        return "stray_brace"
    if not used(text) <= set(allowed):
        return "unknown_placeholder"
    return None


def filled(text: str, values: Mapping[str, str | None], fallbacks: Mapping[str, str]) -> str:
    """The text with its values. Missing or blank values are replaced by their fallback; where that is empty too, the
    blank before goes along: `Hello {name},` becomes `Hello,`. Line breaks and signs that turn the direction of writing
    are taken out of values, since they also stand in the headers of mails."""

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        value = line(values.get(name) or "") or fallbacks.get(name, "")
        if not value:
            return ""
        return found[0].replace(f"{{{name}}}", value)

    return _BLANK_BEFORE.sub(replaced, text)


def line(value: str) -> str:
    """A value on one line: NFC, trimmed, without control characters."""
    return unicodedata.normalize("NFC", _UNPRINTED.sub(" ", value)).strip()
