"""Every figure of the scorer, from integer counts: the only place where a score is computed. What each figure is, with
its unit, stands in shared/api/figures.py; the functions here make the same keys in the same order.

Whoever counts (Python over one account's answers, PostgreSQL over the portfolio) hands in a `Tally`, and the
same counts give the same doubles. Ratios of integers are divided once, by Python's exact integer division, so
a figure is the double nearest to its true value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from operator import mul
from typing import Any

from services.scorer.domain.categories import (
    HIGHEST_SCORE,
    LOWEST_EASY,
    LOWEST_PASSIVE,
    LOWEST_PROMOTER,
    LOWEST_TOP_TWO,
    SurveyType,
    net_of,
)
from services.scorer.domain.windows import utc_text

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
ENOUGH_RESPONDENTS = 10
"""A change is called significant only from so many respondents on each side."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted: `scores[s]` answers of score s (0 to 10), by `respondents` distinct people, the last one
    when."""

    scores: tuple[int, ...] = (0,) * (HIGHEST_SCORE + 1)
    respondents: int = 0
    last_answered_at: datetime | None = None

    promoters: int = field(init=False, repr=False, compare=False)
    passives: int = field(init=False, repr=False, compare=False)
    detractors: int = field(init=False, repr=False, compare=False)
    total: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Count once what is asked for again and again: answers of 9 and 10, of 7 and 8, of 0 to 6, and all."""
        scores, put = self.scores, object.__setattr__
        put(self, "promoters", promoters := sum(scores[LOWEST_PROMOTER:]))
        put(self, "passives", passives := sum(scores[LOWEST_PASSIVE:LOWEST_PROMOTER]))
        put(self, "detractors", detractors := sum(scores[:LOWEST_PASSIVE]))
        put(self, "total", promoters + passives + detractors)


NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Pairs:
    """The people who answered in both windows: how many, and the sums of e and e², where e is the change of a
    person's −1, 0 or 1."""

    people: int = 0
    total: int = 0
    squares: int = 0


NO_PAIRS = Pairs()


def pairs_of(changes: Iterable[tuple[int, int]]) -> Pairs:
    """Count pairs of scores (before, now), one a person."""
    people = total = squares = 0
    for before, now in changes:
        change = net_of(now) - net_of(before)
        people, total, squares = people + 1, total + change, squares + change * change
    return Pairs(people, total, squares)


def ratio(numerator: int, denominator: int) -> float | None:
    """The double nearest to the quotient of two integers; None when there is nothing to divide by."""
    if not denominator:
        return None
    return numerator / denominator


def rounded(numerator: int, denominator: int) -> int | None:
    """The quotient as an integer, half away from zero; None when there is nothing to divide by."""
    if not denominator:
        return None
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    if numerator < 0:
        return -magnitude
    return magnitude


def score_figures(tally: Tally, survey_type: SurveyType = "nps") -> dict[str, Any]:
    """The figures of one window by itself as JSON values, which `Score` of the API describes. What a survey type does
    not have is None, and so is every ratio where nothing counts. Plain dicts, because the projector makes two dozen an
    account and models are slow."""
    scores, total = tally.scores, tally.total
    shares = _NO_SHARES
    mean_score = low = high = top_two = easy = last_answered_at = None
    if survey_type == "nps":
        shares = _NONE_COUNTED
        if total:
            shares = _shares_of(tally, total)
            low, high = interval_of(tally)
    elif survey_type == "csat":
        top_two = ratio(100 * sum(scores[LOWEST_TOP_TWO:]), total)
    elif survey_type == "ces":
        easy = ratio(100 * sum(scores[LOWEST_EASY:]), total)
    if total:
        mean_score = sum(map(mul, _SCALE, scores)) / total
    if tally.last_answered_at is not None:
        last_answered_at = utc_text(tally.last_answered_at)
    return {
        **shares,
        "response_count": total,
        "stakeholder_count": tally.respondents,
        "mean_score": mean_score,
        "distribution": list(scores),
        "ci_low": low,
        "ci_high": high,
        "top_two_percent": top_two,
        "easy_percent": easy,
        "last_answered_at": last_answered_at,
    }


_SCALE = range(HIGHEST_SCORE + 1)


def _shares_of(tally: Tally, total: int) -> dict[str, Any]:
    promoters, passives, detractors = tally.promoters, tally.passives, tally.detractors
    net = 100 * (promoters - detractors)
    return {
        "nps": net / total,
        "nps_rounded": rounded(net, total),
        "promoter_count": promoters,
        "promoter_percent": 100 * promoters / total,
        "passive_count": passives,
        "passive_percent": 100 * passives / total,
        "detractor_count": detractors,
        "detractor_percent": 100 * detractors / total,
    }


_NO_SHARES: dict[str, Any] = dict.fromkeys(_shares_of(NOTHING, 1))
_NONE_COUNTED = _NO_SHARES | {"promoter_count": 0, "passive_count": 0, "detractor_count": 0}


def figures_from_counts(
    now: Tally, before: Tally | None, pairs: Pairs, survey_type: SurveyType = "nps"
) -> dict[str, Any]:
    """The figures of a window with its comparison to the window before (None where there is none, as before
    all time), as JSON values, which `ComparedScore` of the API describes."""
    figures = score_figures(now, survey_type)
    figures["previous"] = figures["change"] = figures["z"] = None
    figures["significant"] = False
    figures["same_stakeholders"] = None
    if before is None:
        pairs = NO_PAIRS
    else:
        figures["previous"] = score_figures(before, survey_type)
    if survey_type == "nps":
        figures["same_stakeholders"] = same_stakeholders(pairs)
        if before is not None:
            figures["change"] = change_between(before, now)
            figures["z"] = z = z_between(before, now)
            enough = min(before.respondents, now.respondents) >= ENOUGH_RESPONDENTS
            figures["significant"] = z is not None and enough and abs(z) >= Z_95
    return figures


def adjusted(tally: Tally) -> tuple[float, float]:
    """The adjusted score and its squared standard error, both on the scale −1 to 1.

    Adjusted Wald after Rocks (2016), «Interval estimation for the Net Promoter Score»: ¾, 1½, ¾ are added to
    promoters, passives and detractors, so there are n + 3 answers.
    """
    promoters, detractors = tally.promoters, tally.detractors
    answers = tally.total + 3
    score = (promoters - detractors) / answers
    return score, ((promoters + detractors + 1.5) / answers - score * score) / answers


def interval_of(tally: Tally) -> tuple[float | None, float | None]:
    """The 95 % interval of the score, clipped to ±100; None when nothing counts."""
    if not tally.total:
        return None, None
    score, error = adjusted(tally)
    margin = Z_95 * sqrt(error)
    return max(-100.0, 100 * (score - margin)), min(100.0, 100 * (score + margin))


def change_between(before: Tally, now: Tally) -> float | None:
    """The score now minus the score before; None unless both count something."""
    total, total_before = now.total, before.total
    if not total or not total_before:
        return None
    net, net_before = now.promoters - now.detractors, before.promoters - before.detractors
    return 100 * (net * total_before - net_before * total) / (total_before * total)


def z_between(before: Tally, now: Tally) -> float | None:
    """The difference of the adjusted scores over the root of their summed squared errors; None unless both
    count something."""
    if not before.total or not now.total:
        return None
    score_before, error_before = adjusted(before)
    score_now, error_now = adjusted(now)
    return (score_now - score_before) / sqrt(error_before + error_now)


def same_stakeholders(pairs: Pairs) -> dict[str, Any]:
    """The change among the people who answered in both windows: {n, change, t}. change = 100 · mean(e) and t
    = mean / (s / √n), the paired t statistic with the n − 1 variance; None below two people or without
    spread."""
    n, total = pairs.people, pairs.total
    # With the sums, t = Σe · √((n − 1) / (n·Σe² − (Σe)²)); the bracket is n(n − 1)s², an integer.
    spread = n * pairs.squares - total * total
    t = None
    if spread:
        t = total * sqrt((n - 1) / spread)
    return {"n": n, "change": ratio(100 * total, n), "t": t}


def tally_of(scores: Iterable[int], respondents: int, last_answered_at: datetime | None) -> Tally:
    """Count scores."""
    counts = [0] * (HIGHEST_SCORE + 1)
    for score in scores:
        counts[score] += 1
    return Tally(tuple(counts), respondents, last_answered_at)


def tally_from_counts(counts: Mapping[int, int], respondents: int, last_answered_at: datetime | None) -> Tally:
    """A tally of scores that somebody else has counted."""
    return Tally(tuple(counts.get(score, 0) for score in range(HIGHEST_SCORE + 1)), respondents, last_answered_at)
