"""How figures are said: signs, units, nothing where nothing counts."""

from collections.abc import Mapping
from typing import Any

NOTHING = "–"
CATEGORY_SIGNS = {"promoter": "▲", "passive": "●", "detractor": "▼"}
"""A sign beside each colour, so that no colour is the only sign."""
CATEGORY_NAMES = {"promoter": "Promoter", "passive": "Passive", "detractor": "Detractor"}
CLASS_NAMES = {
    "ambassador": "Ambassador",
    "steady": "Steady",
    "divided": "Divided",
    "at_risk": "At risk",
    "silent": "Silent",
    "unknown": "Never asked",
}
CLASS_SIGNS = {"ambassador": "▲", "steady": "●", "divided": "◆", "at_risk": "▼", "silent": "○", "unknown": "?"}
METHOD_NAMES = {
    "latest": "Latest answer of each person",
    "all": "Every answer",
    "mean_of_accounts": "Mean of accounts",
    "revenue_weighted": "Weighted by revenue",
}
WINDOWS = {"30d": "30 days", "90d": "90 days", "180d": "180 days", "365d": "a year", "all": "all time"}
TYPE_NAMES = {"decision_maker": "Decision-maker", "user": "User", "influencer": "Influencer"}
STATE_NAMES = {
    "open": "Open",
    "acknowledged": "Acknowledged",
    "in_progress": "In progress",
    "snoozed": "Snoozed",
    "closed": "Closed",
}


def points(value: float | None) -> str:
    """A score or a difference of scores: `+40`, `0`, `−12`; rounded half away from zero."""
    if value is None:
        return NOTHING
    whole = int(abs(value) + 0.5)
    if whole == 0:
        return "0"
    return f"+{whole}" if value > 0 else f"−{whole}"


def interval(figures: Mapping[str, Any]) -> str:
    """`95 % between +12 and +61`; empty where there is none."""
    low, high = figures.get("ci_low"), figures.get("ci_high")
    if low is None or high is None:
        return ""
    return f"95 % between {points(low)} and {points(high)}"


def count(number: int | None, one: str, many: str | None = None) -> str:
    """`1 person`, `24 people`."""
    if number is None:
        return NOTHING
    return f"{number:,} {one if number == 1 else many or one + 's'}".replace(",", "\u202f")


def percent(value: float | None) -> str:
    """A share from 0 to 100 as `43 %`."""
    return NOTHING if value is None else f"{value:.0f} %"


def share(value: float | None) -> str:
    """A share from 0 to 1 as `43 %`."""
    return NOTHING if value is None else percent(100 * value)


def plain(code: str | None) -> str:
    """A code as words: `promoter_to_passive` is `Promoter to passive`."""
    return NOTHING if not code else code.replace("_", " ").capitalize()


def change_words(kind: str) -> str:
    """A category change in words with its signs: `▲ Promoter → ▼ detractor`."""
    before, _, now = kind.partition("_to_")
    if now:
        return f"{CATEGORY_SIGNS[before]} {CATEGORY_NAMES[before]} → {CATEGORY_SIGNS[now]} {now}"
    now = kind.removeprefix("new_")
    return f"New {CATEGORY_SIGNS.get(now, '')} {now}"


def is_fall(kind: str) -> bool:
    """Whether a category change is one for the worse."""
    return kind in ("promoter_to_passive", "promoter_to_detractor", "passive_to_detractor", "new_detractor")
