"""The review pack: what belongs into it, and what of it a client may see."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

Audience = Literal["internal", "client"]
TYPES: Final = ("decision_maker", "user", "influencer")
VOICED: Final = frozenset(
    {
        *("detractor", "promoter_to_passive", "follow_up_requested", "two_falls_in_a_row", "low_csat", "high_effort"),
        *("non_response", "bounced_contact"),
    }
)
"""Kinds of follow-up that answer to what a person said or left unsaid. Others are our own business: growth, renewal,
what somebody opened by hand; a test holds that every shipped kind is one or the other."""
OF_SCORE: Final = (
    *("nps", "nps_rounded", "response_count", "stakeholder_count", "promoter_count", "passive_count"),
    *("detractor_count", "mean_score", "ci_low", "ci_high", "last_answered_at"),
)
OF_DEED: Final = ("follow_up_id", "kind", "stakeholder_id", "response_id", "opened_at", "closed_at", "outcome")
TO_CLIENTS: Final = ("what_was_done", "promise")
INTERNAL: Final = (
    *("severity", "state", "owner", "due_at", "reasons", "title", "root_cause", "told_customer", "result"),
    *("acknowledged_at", "playbook"),
)
OF_ANSWER: Final = (
    *("response_id", "stakeholder_id", "survey_type", "score", "category", "comment", "answered_at"),
    *("touchpoint", "product", "follow_up_requested"),
)
OF_CHANGE: Final = (*("kind", "stakeholder_id", "from", "to", "from_score", "to_score", "response_id", "changed_at"),)
NOT_FOR_CLIENTS: Final = ("rank", "rank_in_industry")
"""Of the comparison: they tell of other accounts."""
FREE_TEXTS: Final = ("comment", "what_was_done", "what")
"""Keys under which people wrote what they liked."""
ANOTHER: Final = "another customer"
SHORT: Final = 2


def score_line(who: str | None, then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The score of one type of people (None: of everybody) at the beginning and at the end."""
    change = None
    if then["nps"] is not None and now["nps"] is not None:
        change = now["nps"] - then["nps"]
    return {
        "stakeholder_type": who,
        "then": {name: then[name] for name in OF_SCORE},
        "now": {name: now[name] for name in OF_SCORE},
        "change": change,
    }


def last_review(marks: Iterable[Mapping[str, Any]], before: datetime) -> datetime | None:
    """When the last business review was held before the moment."""
    last = None
    for mark in marks:
        if mark["kind"] != "review_held":
            continue
        at = datetime.fromisoformat(mark["at"])
        if at < before and (last is None or at > last):
            last = at
    return last


def is_for(audience: Audience, follow_up: Mapping[str, Any]) -> bool:
    """Whether the follow-up belongs into a pack of this audience."""
    return audience == "internal" or (follow_up["kind"] in VOICED and follow_up["outcome"] != "dismissed")


def deed(follow_up: Mapping[str, Any], audience: Audience) -> dict[str, Any]:
    """A follow-up as the pack shows it: to a client what was done and promised, without notes of our own."""
    names: tuple[str, ...] = OF_DEED + TO_CLIENTS
    if audience == "internal":
        names += INTERNAL
    return {name: follow_up.get(name) for name in names}


def happened(moment: str | None, after: datetime, upto: datetime) -> bool:
    """Whether the moment lies in (after, upto]; None lies nowhere."""
    return moment is not None and after < datetime.fromisoformat(moment) <= upto


def said(answer: Mapping[str, Any], people: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An answer with who gave it."""
    person = people.get(answer["stakeholder_id"], {})
    return {name: answer.get(name) for name in OF_ANSWER} | {"name": person.get("name"), "type": person.get("type")}


def words_of(value: Any) -> str:
    """Every free text in a JSON value, one a line."""
    if isinstance(value, list):
        return "\n".join(map(words_of, value))
    if not isinstance(value, dict):
        return ""
    texts = []
    for name, content in value.items():
        if name not in FREE_TEXTS:
            texts.append(words_of(content))
        elif isinstance(content, str):
            texts.append(content)
    return "\n".join(filter(None, texts))


def without_names(value: Any, names: Sequence[str], keep: str | None) -> Any:
    """The JSON value with the names of other accounts replaced in its free texts, wherever they stand as words of their
    own, whatever their case; names of two letters in theirs only, since BP is a customer and "it" is a word. A name
    that is part of `keep`, the client's own, stays: nobody could tell the two apart."""
    pattern = _pattern([name for name in names if keep is None or not _holds(keep, name)])
    if pattern is None:
        return value
    return _replaced(value, pattern)


def _holds(text: str, name: str) -> bool:
    pattern = _pattern([name])
    return pattern is not None and pattern.search(text) is not None


def _pattern(names: Sequence[str]) -> "re.Pattern[str] | None":
    if not names:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(map(_in_its_case, names)) + r")(?!\w)", re.IGNORECASE)


def _in_its_case(name: str) -> str:
    if len(name) <= SHORT:
        return f"(?-i:{re.escape(name)})"
    return re.escape(name)


def _replaced(value: Any, pattern: "re.Pattern[str]") -> Any:
    if isinstance(value, list):
        return [_replaced(item, pattern) for item in value]
    if not isinstance(value, dict):
        return value
    replaced = {}
    for name, content in value.items():
        if name in FREE_TEXTS and isinstance(content, str):
            replaced[name] = pattern.sub(ANOTHER, content)
        else:
            replaced[name] = _replaced(content, pattern)
    return replaced
