"""Roll-ups over accounts: the mean of the accounts' scores, and the mean weighted by revenue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from services.scorer.domain.categories import SurveyType
from services.scorer.domain.figures import rounded

MAX_NAMED: Final = 200
"""So many left-out accounts are named; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Part:
    """Accounts that have the same number of voices: their summed weights, and the sum of weight × value,
    where the value of an account is its promoters minus detractors (NPS) or the sum of its scores (CSAT,
    CES)."""

    voices: int
    weight: Decimal
    weighted: Decimal


def mean_over_accounts(parts: Iterable[Part]) -> Fraction | None:
    """Σ weight · value / voices over Σ weight, exactly; None without any weight."""
    weight = weighted = Fraction(0)
    for part in parts:
        weight += Fraction(part.weight)
        weighted += Fraction(part.weighted) / part.voices
    return weighted / weight if weight else None


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
        both = now is not None and before is not None
        figures["change"] = float(100 * (now - before)) if both and now is not None and before is not None else None
    return figures


def _headline(mean: Fraction | None, survey_type: SurveyType) -> dict[str, Any]:
    if survey_type != "nps":
        return {"mean_score": None if mean is None else float(mean)}
    if mean is None:
        return {"nps": None, "nps_rounded": None}
    score = 100 * mean
    return {"nps": float(score), "nps_rounded": rounded(score.numerator, score.denominator)}
