"""The wording of figures: signs, units, and nothing where nothing counts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
NOTHING = "–"
DECIMAL_MARK = "\u2060"
CATEGORY_SIGNS = {"promoter": "▲", "passive": "●", "detractor": "▼"}
"""A sign for each category beside its colour: colour is never the only sign."""
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
    "latest": "Latest answer of each respondent",
    "all": "Every answer",
    "mean_of_accounts": "Mean of accounts",
    "revenue_weighted": "Weighted by revenue",
}
NOBODY_ASKED = ("Nobody was asked in this window.", "Start a programme, or let your mailer report whom it asks.")
NOBODY_ANSWERED = ("Nobody has answered yet.", "New answers appear here at once.")
INTERVAL = "95\u00a0% interval"
WINDOWS = {"30d": "30 days", "90d": "90 days", "180d": "180 days", "365d": "a year", "all": "all time"}
IN_WINDOWS = {"30d": "In 30 days", "90d": "In 90 days", "180d": "In 180 days", "365d": "In a year"}
TYPE_NAMES = {"decision_maker": "Decision-maker", "user": "User", "influencer": "Influencer"}
SHORT = {"nps": "NPS", "csat": "CSAT", "ces": "CES", "api": "API", "json": "JSON", "dns": "DNS", "tls": "TLS"}
SURVEYS = {"nps": "NPS", "csat": "CSAT", "ces": "CES"}
SCALES = {"nps": "of 10", "csat": "of 5", "ces": "of 7"}
STATE_NAMES = {
    "open": "Open",
    "acknowledged": "Acknowledged",
    "in_progress": "In progress",
    "snoozed": "Snoozed",
    "closed": "Closed",
}

REMARKS = {
    "no_answers": "nobody has answered",
    "few_voices": "few respondents",
    "no_figure_a_year_ago": "no figure a year ago",
    "no_industry": "the industry is unknown",
    "no_published_benchmark": "no published benchmark",
    "benchmark_older_than_two_years": "the benchmark is older than two years",
    "benchmark_method_not_published": "its source does not say how it counts",
    "methods_differ": "its source counts in another way",
    "regions_differ": "it is of another region",
    "no_benchmark_of_the_year_before": "no benchmark of the year before",
    "figure_of_a_part": "your figure is of a part of the answers",
    "percentile_estimated_from_quartiles": "the place is estimated from quartiles",
}
"""What to keep in mind with a comparison."""


def remark(code: str) -> str:
    """What to keep in mind with a comparison, in words."""
    return REMARKS.get(code, plain(code).lower())


def if_known(value: T | None, words: Callable[[T], str]) -> str:
    """The words for a value; a dash where there is none."""
    if value is None:
        return NOTHING
    return words(value)


def points(value: float | None) -> str:
    """A score or a difference of scores: `+40`, `0`, `−12`; rounded half away from zero."""
    if value is None:
        return NOTHING
    whole = int(abs(value) + 0.5)
    if whole == 0:
        return "0"
    sign = "−"
    if value > 0:
        sign = "+"
    return sign + str(whole)


def interval(low: float | None, high: float | None) -> str:
    """`95 % interval +12 to +61`; empty where there is none."""
    if low is None:
        return ""
    return f"{INTERVAL} {between(low, high)}"


def between(low: float | None, high: float | None) -> str:
    """The ends of the 95 % interval: `+12 to +61`."""
    if low is None or high is None:
        return NOTHING
    return f"{points(low)} to {points(high)}"


def formula(nps: float | None, promoters: int | None, detractors: int | None, answers: int) -> str:
    """The calculation of a score: `100 × (12 promoters − 4 detractors) ÷ 24 answers = +33`; empty where nothing
    counts."""
    if nps is None:
        return ""
    difference = f"{count(promoters, 'promoter')} − {count(detractors, 'detractor')}"
    return f"100 × ({difference}) ÷ {count(answers, 'answer')} = {points(nps)}"


def question(survey: str, window: str, method: str, asked: Mapping[str, str]) -> str:
    """The question that a figure answers: `NPS over 90 days, by the latest answer of each respondent, users only`."""
    span = WINDOWS.get(window, window.replace("d", " days"))
    way = METHOD_NAMES.get(method, method).lower()
    if method == "latest":
        way = f"the {way}"
    parts = [f"{survey} over {span}", f"by {way}"]
    if asked.get("stakeholder_type"):
        parts.append(f"{TYPE_NAMES.get(asked['stakeholder_type'], asked['stakeholder_type']).lower()}s only")
    if asked.get("touchpoint"):
        parts.append(f"after {asked['touchpoint'].replace('_', ' ')}")
    return ", ".join(parts)


def count(number: int | None, singular: str, plural: str | None = None) -> str:
    """`1 person`, `24 people`."""
    if number is None:
        return NOTHING
    if number == 1:
        return f"{grouped(number)} {singular}"
    return f"{grouped(number)} {plural or singular + 's'}"


def grouped(number: int) -> str:
    """`12 345`, with thin spaces as the SI writes numbers in every language; reader.js recognises numbers by these
    spaces and formats them for the reader's language."""
    return f"{number:,}".replace(",", "\u202f")


def decimal(value: float, digits: int = 1, sign: str = "") -> str:
    """`4.3`, with `sign="+"` as a difference; an invisible mark tells reader.js that the point is a decimal one, to be
    replaced by that of the reader's language."""
    return f"{value:{sign}.{digits}f}".replace("-", "−").replace(".", f".{DECIMAL_MARK}")


def percent(value: float | None) -> str:
    """A share from 0 to 100 as `43 %`, which no line break parts."""
    if value is None:
        return NOTHING
    return f"{value:.0f}\u00a0%"


def share(value: float | None) -> str:
    """A share from 0 to 1 as `43 %`."""
    if value is None:
        return NOTHING
    return percent(100 * value)


def sentence(words: str) -> str:
    """The words with a capital at their beginning; the others stay as they are."""
    return words[:1].upper() + words[1:]


def plain(code: str | None) -> str:
    """A code as words: `promoter_to_passive` is `Promoter to passive`."""
    if not code:
        return NOTHING
    words = code.replace("_", " ").capitalize().replace("ollow up", "ollow-up")
    return " ".join(SHORT.get(word.lower(), word) for word in words.split(" "))


def change_words(kind: str) -> str:
    """A category change in words with its signs: `▲ Promoter → ▼ detractor`."""
    before, _, now = kind.partition("_to_")
    if now:
        return f"{CATEGORY_SIGNS[before]} {CATEGORY_NAMES[before]} → {CATEGORY_SIGNS[now]} {now}"
    now = kind.removeprefix("new_")
    return f"New {CATEGORY_SIGNS.get(now, '')} {now}"


class OfKind(Protocol):
    """Anything with the kind of a category change."""

    kind: str


C = TypeVar("C", bound=OfKind)


def falls_and_rises(changes: Sequence[C]) -> tuple[list[C], list[C]]:
    """The category changes for the worse, and those for the better; first answers are neither."""
    falls, rises = [], []
    for change in changes:
        if "_to_" not in change.kind:
            continue
        if is_fall(change.kind):
            falls.append(change)
        else:
            rises.append(change)
    return falls, rises


def is_fall(kind: str) -> bool:
    """Whether a category change is one for the worse."""
    return kind in ("promoter_to_passive", "promoter_to_detractor", "passive_to_detractor", "new_detractor")
