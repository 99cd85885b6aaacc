"""How long the words of people are kept: comments, and what was written as an answer to a question for text.

Every service that keeps answers forgets the words of old ones by itself, on the same day. The answers stay, so that
scores do not change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator

WORDS: Final = ("comment", "answers")
"""The fields of a response that may hold words."""
HELD: Final = """({0} ->> 'comment' is not null
    or {0} @? '$.answers[*] ? (@.type == "text" && (@.value.type() != "string" || @.value != ""))')"""
"""The condition that a column of JSON, values by field, holds words; for `format`."""


MIN_DAYS: Final = 30
"""Longer than a record lies in the topic of answers, or an amendment that came early waits for its answer."""


def checked_days(days: int) -> int:
    """The days of a retention. Raises ValueError where they are fewer than `MIN_DAYS`, and not 0."""
    if 0 < days < MIN_DAYS:
        raise ValueError(f"must be {MIN_DAYS} or more, or 0")
    return days


KeptDays = Annotated[int, AfterValidator(checked_days)]


@dataclass(frozen=True, slots=True)
class WordRetention:
    """Words of answers that were given more than `days` days ago are forgotten; with 0 days they are kept for ever."""

    days: int = 0

    def forgotten_before(self, now: datetime) -> datetime | None:
        """Words of answers that were given before this moment are forgotten; None where none are."""
        if not self.days:
            return None
        return now - timedelta(days=self.days)

    def unsaid(self, answered_at: datetime, now: datetime) -> frozenset[str]:
        """The fields of which a repeated record of an answer says nothing any more: they cannot be compared."""
        before = self.forgotten_before(now)
        if before is None or answered_at >= before:
            return frozenset()
        return frozenset(WORDS)


KEPT_FOR_EVER: Final = WordRetention()


def without_words(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a response, or of a change of one, by field, without the words: no comment, and an empty text for each
    that was written. Which questions were answered, and with which numbers and choices, stays."""
    found = dict(values)
    if "comment" in found:
        found["comment"] = None
    if found.get("answers"):
        answers = []
        for entry in found["answers"]:
            kept = dict(entry)
            if entry["type"] == "text":
                kept["value"] = ""
            answers.append(kept)
        found["answers"] = answers
    return found
