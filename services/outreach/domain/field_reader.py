"""Reads the fields of a document one by one and gathers what is wrong with them, each with its place."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from services.outreach.domain import placeholders
from services.outreach.domain.languages import is_language
from services.outreach.domain.problems import FieldProblem

MAX_LABEL: Final = 200
MAX_TEXT: Final = 1_000
MAX_MEMBERS: Final = 100
UNNAMED: Final = "(unnamed)"
"""Stands for a name that somebody chose, which is not repeated."""
_SLUG = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class FieldReader:
    """Every method takes the place and the value of a field and returns a value of the right kind, also where it notes
    a problem: the reading goes on, so that all problems are found at once."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def fault(self, field: str, code: str, detail: str) -> None:
        """Note a problem."""
        self.problems.append(FieldProblem(field or "body", code, detail))

    def object(self, field: str, value: Any, most: int = MAX_MEMBERS) -> dict[str, Any]:
        """A JSON object."""
        if not isinstance(value, dict):
            self.fault(field, "object_type", "must be a JSON object")
            return {}
        if len(value) > most:
            self.fault(field, "too_long", f"must have at most {most} members")
            return {}
        return value

    def array(self, field: str, value: Any, fewest: int, most: int) -> Sequence[Any]:
        """A JSON array."""
        if not isinstance(value, list | tuple):
            self.fault(field, "list_type", "must be a JSON array")
            return ()
        if not fewest <= len(value) <= most:
            self.fault(field, "invalid_length", f"must have {fewest} to {most} items")
            return ()
        return value

    def known(self, field: str, item: Mapping[str, Any], names: Collection[str]) -> None:
        """Note members of an object that have another name."""
        if not item.keys() <= set(names):
            self.fault(f"{field}.{UNNAMED}".lstrip("."), "unknown_field", "is not a field of this call")

    def named(
        self,
        field: str,
        value: Any,
        names: Collection[str],
        allowed: Sequence[str] = placeholders.PLACEHOLDERS,
    ) -> dict[str, str]:
        """Texts by names of a fixed list, in its order."""
        item = self.object(field, value)
        self.known(field, item, names)
        texts: dict[str, str] = {}
        for name in names:
            if name in item:
                texts[name] = self.text(f"{field}.{name}", item[name], allowed=allowed)
        return texts

    def line(self, field: str, value: Any) -> str:
        """A text on one line, such as a subject."""
        text = self.text(field, value, MAX_LABEL)
        self._one_line(field, text)
        return text

    def text(
        self, field: str, value: Any, most: int = MAX_TEXT, *, allowed: Sequence[str] = placeholders.PLACEHOLDERS
    ) -> str:
        """A text of at most so many characters that may hold these placeholders."""
        text = self.plain(field, value, most)
        code = placeholders.fault(text, allowed)
        if code is not None:
            names = ", ".join(f"{{{name}}}" for name in allowed)
            self.fault(field, code, f"braces stand around a placeholder only, which here are: {names or 'none'}")
        return text

    def plain(self, field: str, value: Any, most: int = MAX_LABEL) -> str:
        """A text without placeholders in one form: NFC, trimmed, lines ended by a line feed."""
        if not isinstance(value, str):
            self.fault(field, "string_type", "must be a text")
            return ""
        text = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
        if _CONTROL.search(text):
            self.fault(field, "invalid_text", "must not hold control characters")
        if len(text) > most:
            self.fault(field, "too_long", f"must have at most {most:,} characters")
        return text

    def required(self, field: str, value: Any) -> str:
        """A text on one line that is not empty."""
        text = self.optional(field, value)
        if text is None:
            self.fault(field, "missing", "is required")
            return ""
        return text

    def optional(self, field: str, value: Any) -> str | None:
        """A text on one line; None where there is none."""
        if value is None:
            return None
        text = self.plain(field, value)
        self._one_line(field, text)
        return text or None

    def slug(self, field: str, value: Any) -> str:
        """A name for machines."""
        if not isinstance(value, str) or not _SLUG.fullmatch(value):
            self.fault(field, "invalid_slug", "must have 1 to 60 of a-z, 0-9 and _, and not begin with _")
            return ""
        return value

    def one_of(self, field: str, value: Any, words: Sequence[str]) -> Any:
        """One of the words; the first of them where it is another."""
        if value not in words:
            self.fault(field, "literal_error", f"must be one of {', '.join(words)}")
            return words[0]
        return value

    def flag(self, field: str, value: Any) -> bool:
        """True or false."""
        if not isinstance(value, bool):
            self.fault(field, "bool_type", "must be true or false")
            return False
        return value

    def count(self, field: str, value: Any, most: int) -> int:
        """A whole number from 0 on."""
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            self.fault(field, "out_of_range", f"must be an integer from 0 to {most}")
            return 0
        return value

    def language(self, field: str, value: Any) -> str:
        """The tag of a language."""
        if not isinstance(value, str) or not is_language(value):
            self.fault(field, "invalid_language", "must be a language such as de or pt-BR")
            return "en"
        return value

    def url(self, field: str, value: Any) -> str:
        """An https address; empty where there is none."""
        if value is None:
            return ""
        text = self.plain(field, value, MAX_TEXT)
        if text and not is_https(text):
            self.fault(field, "invalid_url", "must be an https address")
        return text

    def _one_line(self, field: str, text: str) -> None:
        if "\n" in text:
            self.fault(field, "invalid_text", "must be on one line")


def is_https(text: str) -> bool:
    """Whether it is a plain https address of some host, without a user."""
    if not text.isascii() or any(sign.isspace() for sign in text):
        return False
    try:
        parts = urlsplit(text)
        named = parts.hostname is not None and "." in parts.hostname
        return parts.scheme == "https" and named and parts.username is None and parts.port != 0
    except ValueError:
        return False
