"""The class of an account: the first rule that fits the latest answer of each person in 365 days, with the numbers that
decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from services.scorer.domain.answers import Answer
from services.scorer.domain.categories import category_of, net_of
from services.scorer.domain.figures import ratio

AccountClass = Literal["unknown", "silent", "at_risk", "ambassador", "divided", "steady"]
ACCOUNT_CLASSES: Final[tuple[AccountClass, ...]] = (
    "unknown",
    "silent",
    "at_risk",
    "ambassador",
    "divided",
    "steady",
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares in percent. An account is at risk from `at_risk_detractors`, an ambassador from
    `ambassador_promoters` with at most `ambassador_detractors`, divided from `divided_share` on both
    sides."""

    at_risk_detractors: float = 30
    ambassador_promoters: float = 60
    ambassador_detractors: float = 15
    divided_share: float = 20


DEFAULT_THRESHOLDS: Final = Thresholds()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules look at: the latest answers (one a person) of 365 days as counts, those of decision-makers and
    users as promoters minus detractors, and whether anybody was ever asked or ever answered up to the moment in
    question."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0
    decision_maker_detractors: int = 0
    decision_maker_net: int = 0
    user_net: int = 0
    ever_asked: bool = False
    ever_answered: bool = False

    @property
    def total(self) -> int:
        """How many people answered."""
        return self.promoters + self.passives + self.detractors


STANDING: Final = tuple(field.name for field in fields(Standing))
"""What the rules look at, by name."""


@dataclass(frozen=True, slots=True)
class Classified:
    """The class, the rule that decided in words, and the numbers beside it."""

    name: AccountClass
    rule: str
    numbers: dict[str, Any]


def classify(standing: Standing, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Classified:
    """The first rule that fits."""
    name, rule = first_fit(standing, thresholds)
    total = standing.total
    numbers = {name: getattr(standing, name) for name in STANDING} | {
        "window": "365d",
        "method": "latest",
        "response_count": total,
        "promoter_percent": ratio(100 * standing.promoters, total),
        "detractor_percent": ratio(100 * standing.detractors, total),
    }
    return Classified(name, rule, numbers)


def first_fit(standing: Standing, limits: Thresholds) -> tuple[AccountClass, str]:
    """The class and its rule in words."""
    promoters, detractors = standing.promoters, standing.detractors

    def at_least(count: int, percent: float) -> bool:
        return 100 * count >= percent * standing.total

    if not standing.total:
        if standing.ever_asked or standing.ever_answered:
            return "silent", "asked or heard before, no answer in 365 days"
        return "unknown", "never asked, never answered"
    if at_least(detractors, limits.at_risk_detractors) and detractors > promoters:
        return "at_risk", f"detractors at least {limits.at_risk_detractors:g} % and more than promoters"
    if standing.decision_maker_detractors:
        return "at_risk", "a decision-maker's latest answer is a detractor's"
    few_detractors = 100 * detractors <= limits.ambassador_detractors * standing.total
    if at_least(promoters, limits.ambassador_promoters) and few_detractors:
        return "ambassador", (
            f"promoters at least {limits.ambassador_promoters:g} %,"
            f" detractors at most {limits.ambassador_detractors:g} %"
        )
    if at_least(promoters, limits.divided_share) and at_least(detractors, limits.divided_share):
        return "divided", f"promoters and detractors both at least {limits.divided_share:g} %"
    if standing.decision_maker_net * standing.user_net < 0:
        return "divided", "decision-makers and users are on opposite sides"
    return "steady", "no other rule fits"


def standing_of(
    latest: Sequence[Answer], types: Mapping[str, str | None], *, ever_asked: bool, ever_answered: bool
) -> Standing:
    """Count the latest answers (one a person) of the 365 days; `types` says who is a decision_maker or user."""
    categories = [category_of(answer.score) for answer in latest]

    def nets(kind: str) -> list[int]:
        return [net_of(answer.score) for answer in latest if types.get(answer.stakeholder_id) == kind]

    deciders = nets("decision_maker")
    return Standing(
        promoters=categories.count("promoter"),
        passives=categories.count("passive"),
        detractors=categories.count("detractor"),
        decision_maker_detractors=deciders.count(-1),
        decision_maker_net=sum(deciders),
        user_net=sum(nets("user")),
        ever_asked=ever_asked,
        ever_answered=ever_answered,
    )
