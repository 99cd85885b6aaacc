"""What the DNS says, as the checks of the sending domain read it; nothing here asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

RecordType = Literal["TXT", "MX", "A", "AAAA", "PTR"]
Question = tuple[str, RecordType]
"""A name in lower case without the last dot, and a type of record."""
Answers = Mapping[Question, tuple[str, ...] | None]
"""Texts, names of hosts (PTR; MX, the preferred one first, "" where no mail is taken) or addresses. Empty: there is no
such record. None, or no entry: the DNS did not answer."""
FindingState = Literal["ok", "warning", "failed", "not_checked"]


@dataclass(frozen=True, slots=True)
class Record:
    """A record to publish, to be copied."""

    name: str
    value: str
    type: Literal["TXT"] = "TXT"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `fix`: what to do about it. `record`: what the DNS should say instead."""

    name: str
    state: FindingState
    found: str
    fix: str = ""
    record: Record | None = None


def no_answer(name: str, asked: str) -> Finding:
    """A check that the DNS left without an answer."""
    return Finding(name, "not_checked", f"the DNS does not answer about {asked}", "try again later")


def tags(text: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record, `v=DKIM1; p=…` (RFC 6376, 3.2): names in lower case, the first one counts."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, separator, value = part.partition("=")
        if separator:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def upwards(domain: str) -> list[str]:
    """The domain and those above it down to two labels: `a.b.example` gives itself and `b.example`."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
