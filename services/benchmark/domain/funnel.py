"""The response funnel against the yardsticks of the field. All rates are shares of recipients: invitations sent and
not bounced; only the bounce rate is a share of those sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.benchmark.domain.cohorts import ratio

ORDINARY: Final = (0.12, 0.15)
"""Share of recipients who answer an ordinary B2B NPS survey by mail (Clientshare)."""
GOOD: Final = (0.20, 0.30)
"""A good share (SurveySensum)."""
TARGET: Final = (0.50, 0.60)
"""What account managers aim at (SurveySensum)."""
REVIEW: Final = {"open_rate": 0.68, "response_rate": 0.43, "comment_rate": 0.17, "follow_up_request_rate": 0.03}
"""Surveys sent with a business review (Clientshare)."""
REVIEW_RECIPIENTS: Final = 4.4
"""Recipients of such a survey, on average."""
COUNTS: Final = (
    *("sent_count", "delivered_count", "opened_count", "started_count", "answered_count", "bounced_count"),
    "withdrawn_count",
)
RATES: Final = (
    *("delivered_rate", "open_rate", "start_rate", "response_rate", "completion_rate", "bounce_rate"),
    *("comment_rate", "follow_up_request_rate"),
)
NO_INVITATIONS = "no_invitations"
FEW_INVITATIONS = "few_invitations"
NOT_OPENED_KNOWN = "openings_not_reported"
NOT_DELIVERED_KNOWN = "deliveries_not_reported"


@dataclass(frozen=True, slots=True)
class Judged:
    """A funnel held against the yardsticks."""

    level: str | None
    against_review: dict[str, float | None]
    warnings: tuple[str, ...]
    sentence: str


def yardsticks() -> dict[str, Any]:
    """The yardsticks as JSON, with their sources."""
    return {
        "response_rate": {"ordinary": list(ORDINARY), "good": list(GOOD), "target": list(TARGET)},
        "business_review": {**REVIEW, "recipients": REVIEW_RECIPIENTS},
        "sources": {
            "ordinary": "Clientshare",
            "good": "SurveySensum",
            "target": "SurveySensum",
            "business_review": "Clientshare",
        },
    }


def counts_and_rates(told: Mapping[str, Any]) -> dict[str, Any]:
    """The scorer's counts with the recipients among them, and every rate, from the counts where they are known."""
    counts = {name: told.get(name) for name in COUNTS}
    sent, bounced = counts["sent_count"], counts["bounced_count"]
    if sent is None or bounced is None:
        return counts | {"recipient_count": None} | {name: told.get(name) for name in RATES}
    recipients = sent - bounced
    own = {
        "delivered_rate": _share(counts["delivered_count"], recipients),
        "open_rate": _share(counts["opened_count"], recipients),
        "start_rate": _share(counts["started_count"], recipients),
        "response_rate": _share(counts["answered_count"], recipients),
        "completion_rate": _share(counts["answered_count"], counts["started_count"]),
        "bounce_rate": _share(bounced, sent),
    }
    rates = {}
    for name in RATES:
        rates[name] = told.get(name)
        if rates[name] is None:
            rates[name] = own.get(name)
    return counts | {"recipient_count": recipients} | rates


def _share(part: int | None, whole: int | None) -> float | None:
    if part is None or whole is None:
        return None
    return ratio(part, whole)


def judge(funnel: Mapping[str, Any], few_invitations: int) -> Judged:
    """Where a funnel stands."""
    recipients, rate = funnel["recipient_count"], funnel["response_rate"]
    apart = {name: _apart(funnel[name], yardstick) for name, yardstick in REVIEW.items()}
    if not recipients or rate is None:
        return Judged(None, apart, (NO_INVITATIONS,), "Nobody was asked by an invitation in this window.")
    warnings = []
    if recipients < few_invitations:
        warnings.append(FEW_INVITATIONS)
    if not funnel["opened_count"] and funnel["answered_count"]:
        warnings.append(NOT_OPENED_KNOWN)
    if funnel["delivered_count"] is None:
        warnings.append(NOT_DELIVERED_KNOWN)
    level = level_of(rate)
    people = "recipients"
    if recipients == 1:
        people = "recipient"
    sentence = f"{_percent(rate)} of {recipients} {people} answered: {_WORDS[level]}."
    return Judged(level, apart, tuple(warnings), sentence)


def _apart(rate: float | None, yardstick: float) -> float | None:
    if rate is None:
        return None
    return rate - yardstick


_WORDS: Final = {
    "below_ordinary": "less than the 12 to 15 % of an ordinary survey by mail",
    "ordinary": "what an ordinary survey by mail gets",
    "above_ordinary": "more than an ordinary survey by mail, less than the 20 to 30 % that is good",
    "good": "good",
    "above_good": "more than good, on the way to the 50 to 60 % that account managers aim at",
    "target": "what account managers aim at",
    "above_target": "more than account managers aim at",
}
LEVELS: Final = tuple(_WORDS)


def level_of(rate: float) -> str:
    """The name of where a response rate stands; the ends of a yardstick belong to it."""
    if rate < ORDINARY[0]:
        return "below_ordinary"
    if rate <= ORDINARY[1]:
        return "ordinary"
    if rate < GOOD[0]:
        return "above_ordinary"
    if rate <= GOOD[1]:
        return "good"
    if rate < TARGET[0]:
        return "above_good"
    if rate <= TARGET[1]:
        return "target"
    return "above_target"


def _percent(rate: float) -> str:
    return f"{int(100 * rate + 0.5)} %"
