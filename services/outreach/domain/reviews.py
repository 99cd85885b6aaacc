"""Business reviews: what of a review pack may stand behind a link that is passed on inside the client, and when the
next review is due."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal

from services.outreach.domain.forms import clean

Kind = Literal["said", "done"]
TOUCHPOINT: Final = "business_review"
"""The touchpoint of a survey that is made for business reviews."""
OPEN_FOR: Final = timedelta(days=45)
"""So long the links of a review work."""
QUARTER: Final = timedelta(days=91)
"""After so long without a business review the next one is due."""
FEW: Final = 3
"""A figure of fewer people would tell colleagues who gave it."""
FIRST_DAY: Final = date(2000, 1, 1)
LAST_AHEAD: Final = timedelta(days=366)
"""A review is held between the first day and so many days from now."""
SOMEBODY: Final = "a colleague"
"""Stands for the names of people in texts."""
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+\.[^\s@<>()\[\],;:\".]+")
_COUNTS: Final = ("promoter_count", "passive_count", "detractor_count")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Something said or done, as the client reads it. `stakeholder_id` is whom it goes back to, so that it goes with
    the person when that person is erased; it is shown to nobody. `at`: when it was said, or the follow-up opened."""

    kind: Kind
    content: Mapping[str, Any]
    stakeholder_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Copied:
    """What is kept of a review pack: `figures` hold no person; `unknown` are chosen comments that the pack lacks."""

    figures: Mapping[str, Any]
    excerpts: tuple[Excerpt, ...]
    unknown: tuple[str, ...]


def copied(pack: Mapping[str, Any], chosen: Collection[str], names: Iterable[str]) -> Copied:
    """The copy of a review pack for clients. `chosen`: response ids of the comments to copy. `names`: names and ids of
    people at the client, which are replaced in all texts, as addresses are."""
    pattern = _pattern(names)
    scores = copied_scores(pack["scores"])
    excerpts = [
        *_comments(pack["said"], chosen, pattern),
        *_deeds((*pack["done"], *pack["open_points"]), pattern),
    ]
    found = {excerpt.content["response_id"] for excerpt in excerpts if excerpt.kind == "said"}
    figures = {
        "account_name": pack["account"]["name"],
        "from": pack["period"]["from"],
        "to": pack["period"]["to"],
        "scores": scores,
        "became_promoters": None,
        "became_detractors": None,
        "open_points": len(pack["open_points"]),
    }
    if scores[0]["nps_now"] is not None:
        figures["became_promoters"] = _turned(pack["changes"], "promoter")
        figures["became_detractors"] = _turned(pack["changes"], "detractor")
    return Copied(figures, tuple(excerpts), tuple(sorted(set(chosen) - found)))


def copied_scores(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The line of everybody, and those by type of people unless one of them, or the rest that can be subtracted out of
    them, is of few people."""
    everybody, *by_type = lines
    if not all(_is_safe(everybody, by_type, moment) for moment in ("then", "now")):
        by_type = []
    return [_copied_score(line) for line in (everybody, *by_type)]


def trend_of(score: Mapping[str, Any]) -> str:
    """How the score went: `up`, `down`, `same`, `now` where there is none of before, `few` where there is none now."""
    then, now = score["nps_then"], score["nps_now"]
    if now is None:
        return "few"
    if then is None:
        return "now"
    if now == then:
        return "same"
    if now > then:
        return "up"
    return "down"


def is_due(held_on: date | None, today: date) -> bool:
    """Whether the next review is due, where the last one was held on this day (None: none is known)."""
    return held_on is None or due_since(held_on) <= today


def due_since(held_on: date) -> date:
    """From when on the next review is due."""
    return held_on + QUARTER


def quarter_of(day: date) -> str:
    """The calendar quarter, such as `2026-Q4`."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def moment_of(held_on: date) -> datetime:
    """The moment for the mark of a review: noon of its day, UTC."""
    return datetime.combine(held_on, time(12), UTC)


def last_held(marks: Iterable[Mapping[str, Any]]) -> date | None:
    """The day of the last business review among the marks of a trend."""
    days = [datetime.fromisoformat(mark["at"]).date() for mark in marks if mark["kind"] == "review_held"]
    return max(days, default=None)


def _is_safe(everybody: Mapping[str, Any], by_type: Sequence[Mapping[str, Any]], moment: str) -> bool:
    counts = [line[moment]["stakeholder_count"] for line in by_type]
    rest = everybody[moment]["stakeholder_count"] - sum(counts)
    return all(count == 0 or count >= FEW for count in (*counts, rest))


def _copied_score(line: Mapping[str, Any]) -> dict[str, Any]:
    then, now = line["then"], line["now"]
    copy = {
        "stakeholder_type": line["stakeholder_type"],
        "nps_then": _figure(then, "nps_rounded"),
        "nps_now": _figure(now, "nps_rounded"),
        "people_then": then["stakeholder_count"],
        "people_now": now["stakeholder_count"],
    }
    for name in _COUNTS:
        copy[name] = _figure(now, name)
    return copy


def _figure(score: Mapping[str, Any], name: str) -> int | None:
    """The figure; None where it is of few people."""
    if score["stakeholder_count"] < FEW:
        return None
    figure: int | None = score[name]
    return figure


def _turned(changes: Iterable[Mapping[str, Any]], category: str) -> int:
    return sum(change["to"] == category for change in changes)


def _comments(
    said: Iterable[Mapping[str, Any]], chosen: Collection[str], pattern: "re.Pattern[str]"
) -> Iterable[Excerpt]:
    for answer in said:
        if answer["response_id"] not in chosen or not answer["comment"]:
            continue
        content = {
            "response_id": answer["response_id"],
            "comment": _nameless(answer["comment"], pattern),
            "on": _day(answer["answered_at"]),
        }
        yield Excerpt("said", content, answer["stakeholder_id"], datetime.fromisoformat(answer["answered_at"]))


def _deeds(deeds: Iterable[Mapping[str, Any]], pattern: "re.Pattern[str]") -> Iterable[Excerpt]:
    """What was done and what was promised; a follow-up of which neither is written down says nothing to a client."""
    for deed in sorted(deeds, key=lambda deed: (deed["closed_at"] is None, deed["closed_at"] or deed["opened_at"])):
        promise = deed["promise"] or {"what": None, "by": None}
        if not deed["what_was_done"] and not promise["what"]:
            continue
        content = {
            "what_was_done": _nameless(deed["what_was_done"], pattern),
            "closed_on": _day(deed["closed_at"]),
            "promised": _nameless(promise["what"], pattern),
            "promised_by": _day(promise["by"]),
        }
        yield Excerpt("done", content, deed["stakeholder_id"], datetime.fromisoformat(deed["opened_at"]))


def _pattern(names: Iterable[str]) -> "re.Pattern[str]":
    longest_first = sorted({name.strip() for name in names if _tells(name)}, key=len, reverse=True)
    words = [rf"(?<!\w){re.escape(name)}(?!\w)" for name in longest_first]
    return re.compile("|".join([*words, _ADDRESS.pattern]), re.IGNORECASE)


def _tells(name: str) -> bool:
    """Whether a name or id tells of a person: a bare number or letter in a text is one of many other things."""
    return len(name.strip()) > 1 and any(map(str.isalpha, name))


def _nameless(text: str | None, pattern: "re.Pattern[str]") -> str | None:
    if not text:
        return None
    return pattern.sub(SOMEBODY, clean(text))


def _day(moment: str | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromisoformat(moment).astimezone(UTC).date().isoformat()
