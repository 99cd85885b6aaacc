"""Figures of many accounts: their counts added up, the mean of their scores, and the mean weighted by revenue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from services.scorer.domain.account import compared_figures
from services.scorer.domain.answers import Method
from services.scorer.domain.categories import SurveyType
from services.scorer.domain.counts import NOTHING_COUNTED, Counts
from services.scorer.domain.figures import rounded
from services.scorer.domain.invitations import UNKNOWN_INVITATIONS, coverage_of, invitation_figures
from services.scorer.domain.windows import Window

MAX_NAMED: Final = 200
"""So many left-out accounts are named; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Extent:
    """So many people at so many accounts, with their revenue in the currency; None where it cannot be said."""

    people: int | None = 0
    accounts: int | None = 0
    revenue: Decimal | None = None

    def revenue_in(self, currency: str | None) -> float | None:
        """The revenue; None where nobody said in which currency."""
        if currency is None or self.accounts is None:
            return None
        return float(self.revenue or 0)


NOBODY: Final = Extent()
NOT_SAID: Final = Extent(None, None)


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """The counts of the accounts of one group added up, and who answered, is known and was asked. The last two cannot
    be said where answers are split by something that people or invitations do not have."""

    counts: Counts = NOTHING_COUNTED
    answered: Extent = NOBODY
    known: Extent = NOBODY
    asked: Extent = NOBODY


@dataclass(frozen=True, slots=True)
class Part:
    """Accounts that have the same number of respondents: their summed weights, and the sum of weight × value,
    where the value of an account is its promoters minus detractors (NPS) or the sum of its scores (CSAT,
    CES)."""

    respondents: int
    weight: Decimal
    weighted: Decimal


@dataclass(frozen=True, slots=True)
class Means:
    """What the means over the accounts of a group are made of: each account counting as one, or by its revenue."""

    now: list[Part] = field(default_factory=list)
    before: list[Part] = field(default_factory=list)
    now_weighted: list[Part] = field(default_factory=list)
    before_weighted: list[Part] = field(default_factory=list)


def group_figures(
    group: GroupCounts, means: Means, window: Window, method: Method, survey_type: SurveyType, currency: str | None
) -> dict[str, Any]:
    """The figures of one group by any of the methods, with coverage of people, accounts and revenue."""
    figures = compared_figures(group.counts, window, method, survey_type)
    if method == "mean_of_accounts":
        figures = with_mean(figures, mean_over_accounts(means.now), mean_over_accounts(means.before), survey_type)
    elif method == "revenue_weighted":
        now, before = mean_over_accounts(means.now_weighted), mean_over_accounts(means.before_weighted)
        figures = with_mean(figures, now, before, survey_type)
    invitations: dict[str, Any] = UNKNOWN_INVITATIONS
    if group.asked != NOT_SAID:
        invitations = invitation_figures(group.counts.invitations)
    return figures | {"coverage": coverage_figures(group, currency)} | invitations


def coverage_figures(group: GroupCounts, currency: str | None) -> dict[str, Any]:
    """{known, asked, answered} of people, and beside it of `accounts` and of their `revenue`."""
    known, asked, answered = group.known, group.asked, group.answered
    people = coverage_of(known.people, asked.people, answered.people)
    accounts = coverage_of(known.accounts, asked.accounts, answered.accounts)
    revenue = coverage_of(known.revenue_in(currency), asked.revenue_in(currency), answered.revenue_in(currency))
    return people | {"accounts": accounts, "revenue": {"currency": currency} | revenue}


def mean_over_accounts(parts: Iterable[Part]) -> Fraction | None:
    """Σ weight · value / respondents over Σ weight, exactly; None without any weight."""
    weight = weighted = Fraction(0)
    for part in parts:
        weight += Fraction(part.weight)
        weighted += Fraction(part.weighted) / part.respondents
    if not weight:
        return None
    return weighted / weight


def with_mean(
    latest: Mapping[str, Any], now: Fraction | None, before: Fraction | None, survey_type: SurveyType
) -> dict[str, Any]:
    """The figures of `latest` with the account mean in place of the score.

    Interval and z are None, since they are defined on counts of answers; `change` is the difference of the
    means. For CSAT and CES the mean stands in `mean_score`.
    """
    figures = dict(latest) | {"ci_low": None, "ci_high": None, "z": None, "significant": False}
    figures |= _headline(now, survey_type)
    if latest["previous"] is not None:
        figures["previous"] = latest["previous"] | {"ci_low": None, "ci_high": None} | _headline(before, survey_type)
    if survey_type == "nps":
        figures["change"] = None
        if now is not None and before is not None:
            figures["change"] = float(100 * (now - before))
    return figures


def _headline(mean: Fraction | None, survey_type: SurveyType) -> dict[str, Any]:
    if survey_type != "nps" and mean is None:
        return {"mean_score": None}
    if mean is None:
        return {"nps": None, "nps_rounded": None}
    if survey_type != "nps":
        return {"mean_score": float(mean)}
    score = 100 * mean
    return {"nps": float(score), "nps_rounded": rounded(score.numerator, score.denominator)}
