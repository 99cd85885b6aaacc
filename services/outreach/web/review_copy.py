"""The copy of a business review in words, for its page and for the look at it before it is made."""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any, Final

from services.outreach.domain.page_words import PageWords
from services.outreach.domain.reviews import trend_of

TURNED: Final = ("became_promoters", "became_detractors")


def copy_shown(copy: Mapping[str, Any], words: PageWords, zone: tzinfo) -> dict[str, Any]:
    """What the template shows of a copy, see `content_of`; days are those of `zone`."""
    return {
        "account_name": copy["account_name"],
        "period": _period(words, copy, zone),
        "scores": [_score(words, score) for score in copy["scores"]],
        "trend": _trend(words, copy["scores"][0]),
        "counts": _counts(words, _categories(copy["scores"][0])),
        "turned": _counts(words, {name: copy[name] for name in TURNED}),
        "said": [_said(words, comment) for comment in copy["said"]],
        "done": [_deed(words, deed) for deed in copy["done"]],
        "open_points": copy["open_points"],
    }


def _period(words: PageWords, copy: Mapping[str, Any], zone: tzinfo) -> str:
    ends = {}
    for end in ("from", "to"):
        ends[end] = words.day(datetime.fromisoformat(copy[end]).astimezone(zone).date())
    return words.say("review_period", **ends)


def _trend(words: PageWords, everybody: dict[str, Any]) -> str:
    """How the score of everybody went, in words."""
    values = {}
    for name in ("then", "now"):
        values[name] = _number(everybody[f"nps_{name}"])
    if everybody["nps_then"] is not None and everybody["nps_now"] is not None:
        values["points"] = str(abs(everybody["nps_now"] - everybody["nps_then"]))
    return words.say(f"review_{trend_of(everybody)}", **values)


def _score(words: PageWords, score: dict[str, Any]) -> dict[str, str]:
    """A line of the table of scores."""
    return {
        "who": words.say(f"review_{score['stakeholder_type'] or 'everybody'}"),
        "then": _number(score["nps_then"]),
        "now": _number(score["nps_now"]),
        "people": str(score["people_now"]),
    }


def _categories(everybody: dict[str, Any]) -> dict[str, int | None]:
    """How many people are of each category now."""
    return {
        "promoters": everybody["promoter_count"],
        "passives": everybody["passive_count"],
        "detractors": everybody["detractor_count"],
    }


def _counts(words: PageWords, counts: Mapping[str, int | None]) -> list[str]:
    """Counts in words, without those of few people."""
    said = []
    for name, count in counts.items():
        if count is not None:
            said.append(words.say(f"review_{name}", count=str(count)))
    return said


def _said(words: PageWords, comment: dict[str, Any]) -> dict[str, str]:
    return {"comment": comment["comment"], "on": words.day(date.fromisoformat(comment["on"]))}


def _deed(words: PageWords, deed: dict[str, Any]) -> dict[str, str]:
    """What was done and promised, with their days in words; empty where there is none."""
    shown = {"what": deed["what_was_done"] or "", "on": "", "promised": deed["promised"] or "", "by": ""}
    if deed["closed_on"] is not None:
        shown["on"] = words.say("review_done_on", date=words.day(date.fromisoformat(deed["closed_on"])))
    if deed["promised_by"] is not None:
        shown["by"] = words.say("review_promised", date=words.day(date.fromisoformat(deed["promised_by"])))
    return shown


def _number(figure: int | None) -> str:
    """A score with a real minus; a dash where there is none."""
    if figure is None:
        return "–"
    return str(figure).replace("-", "−")
