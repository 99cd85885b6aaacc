"""The three categories of the 0 to 10 question, and what each counts in the score."""

from typing import Final, Literal

Category = Literal["promoter", "passive", "detractor"]
SurveyType = Literal["nps", "csat", "ces"]

CATEGORIES: Final[tuple[Category, ...]] = ("promoter", "passive", "detractor")
LOWEST_PROMOTER: Final = 9
LOWEST_PASSIVE: Final = 7
HIGHEST_SCORE: Final = 10
LOWEST_TOP_TWO: Final = 4
"""CSAT 1 to 5: the top two boxes are 4 and 5."""
LOWEST_EASY: Final = 5
"""CES 1 to 7, 7 = very easy: easy is 5 and above."""


def category_of(score: int) -> Category:
    """Promoter 9 to 10, passive 7 to 8, detractor 0 to 6 (Reichheld 2003)."""
    if score >= LOWEST_PROMOTER:
        return "promoter"
    if score >= LOWEST_PASSIVE:
        return "passive"
    return "detractor"


def net_of(score: int) -> int:
    """What one answer adds to promoters minus detractors: 1, 0 or −1."""
    if score >= LOWEST_PROMOTER:
        return 1
    if score >= LOWEST_PASSIVE:
        return 0
    return -1


def category_or_none(survey_type: str, score: int) -> Category | None:
    """The category of an answer; CSAT and CES answers have none."""
    if survey_type != "nps":
        return None
    return category_of(score)
