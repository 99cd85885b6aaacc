"""Asks in words: who was asked, who was not and why, and what came of it."""

import csv
import io
from collections.abc import Mapping, Sequence

from services.dashboard.domain import follow_ups
from shared.files.formulas import safe

STATES = {
    "waiting": "Waiting",
    "held": "Not yet",
    "skipped": "Not asked",
    "sent": "Asked",
    "failed": "Failed",
    "withdrawn": "Withdrawn",
}
OUTCOMES = {
    "answered": "▲ Answered",
    "bounced": "▼ Bounced",
    "withdrawn": "○ Withdrawn",
    "expired": "○ Closed without an answer",
    "open": "● Open",
}
REASONS = {
    "quarantine": "asked too recently",
    "floor": "asked by somebody else in the last two weeks",
    "cap": "the limit of the day is reached",
    "outside_hours": "outside office hours",
    "holiday": "a holiday",
    "reading_behind": "Tellback is still reading who was asked before",
    "relay_away": "the mail server is away",
    "paused": "paused",
    "no_address": "no e-mail address",
    "shared_address": "somebody else with the same address was asked",
    "needs_smtputf8": "the address needs a newer mail server",
    "objected": "objected to being asked",
    "bounced": "the address bounced",
    "no_permission": "no permission to write",
    "too_new": "a customer for too short a time",
    "already_answered": "answered recently",
    "excluded": "left out by hand",
    "too_late": "too late",
    "no_person": "no person is named",
    "not_in_directory": "not in the directory",
    "do_not_ask": "the account is not to be asked",
    "recipient_refused": "the mail server refused the recipient",
    "message_refused": "the mail server refused the mail",
    "by_hand": "withdrawn by hand",
    "removed": "the person or account was removed",
    "merged": "merged into another person",
    "programme_ended": "the programme ended",
}
OVERRIDABLE = frozenset({"quarantine", "floor", "already_answered"})
"""Reasons that somebody may pass by saying why; nothing passes an objection."""
ORIGINS = {"link": "by a link", "programme": "by mail", "review": "with a business review", "test": "as a test"}

ACTORS = {"tellback": "Tellback", "person": "the person", "page": "the person"}


def actor(who: str, people: Mapping[str, str]) -> str:
    """Who changed an ask or an objection; `people` gives the names behind keys."""
    return ACTORS.get(who) or follow_ups.actor(who, people)


def reason_words(reason: str | None) -> str:
    """Why somebody is not asked; empty where there is no reason."""
    if reason is None:
        return ""
    return REASONS.get(reason, reason.replace("_", " "))


def state_words(state: str, outcome: str | None, reason: str | None) -> str:
    """What became of an ask, in a few words: `Not asked: no e-mail address`, `▲ Answered`."""
    if state == "sent" and outcome is not None:
        return OUTCOMES.get(outcome, outcome)
    words = STATES.get(state, state)
    if reason:
        return f"{words}: {reason_words(reason)}"
    return words


def sum_words(parts: Mapping[str, int], names: Mapping[str, str]) -> str:
    """`12 asked + 3 not asked`: the counted parts of a sum, without those that are nothing."""
    said = []
    for part, number in parts.items():
        if number:
            said.append(f"{number} {names.get(part, part).lower().lstrip('▲▼○● ')}")
    return " + ".join(said) or "0"


def counted_reasons(reasons: Sequence[str]) -> dict[str, int]:
    """How often each reason is given, the most frequent first."""
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda found: -found[1]))


def csv_of(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A file for spreadsheets, in which no cell is read as a formula."""
    file = io.StringIO()
    lines = csv.writer(file, lineterminator="\r\n")
    lines.writerow(heads)
    for row in rows:
        lines.writerow([safe(cell) for cell in row])
    return file.getvalue()
