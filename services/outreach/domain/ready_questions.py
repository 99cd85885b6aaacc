"""Questions that one can add to a survey: ratings of what matters in an industry, choices, and other wordings of the
question with the score."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from services.outreach.domain.languages import COMPLETE
from services.outreach.domain.shipped import shipped
from services.outreach.domain.surveys import Metric, Question, QuestionTexts

COMPETITORS: Final = Question("competitors", "choice", options=("better", "same", "worse", "cannot_say"))
CHOOSING: Final = Question(
    "choosing",
    "choice",
    options=("price", "quality", "reliability", "expertise", "support", "innovation", "people"),
    several=True,
)
EASE: Final = Question("ease", "ces")
IMPROVE_FIRST: Final = Question("improve_first", "text")
ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "saas": ("implementation", "responsiveness", "bugs_and_interface", "product_value"),
    "manufacturing": ("partnership", "implementation", "support"),
    "marketing_advertising": ("campaign_effectiveness", "messaging", "creative_work", "client_experience"),
    "fintech": ("implementation", "responsiveness", "bugs", "interface", "product_value"),
    "service": ("quality", "reliability", "support", "communication"),
    "logistics": ("fulfilment", "reliability", "communication", "partnership_satisfaction", "experience"),
}
"""Industry -> attributes that its customers rate."""
ANY_INDUSTRY: Final = (
    *("ease_of_doing_business", "leading_edge", "value", "trust", "commitment", "satisfaction", "proactivity"),
    *("service", "relationship", "quality", "communication", "timeliness"),
)
"""What goes with the score across B2B."""
WORDINGS: Final[Mapping[str, tuple[str, Metric]]] = {
    "saas_interface": ("saas", "nps"),
    "saas_value": ("saas", "nps"),
    "manufacturing_partnership": ("manufacturing", "nps"),
    "manufacturing_implementation": ("manufacturing", "nps"),
    "marketing_campaign": ("marketing_advertising", "nps"),
    "marketing_messaging": ("marketing_advertising", "nps"),
    "fintech_onboarding": ("fintech", "nps"),
    "fintech_support": ("fintech", "nps"),
    "service_quality": ("service", "csat"),
    "service_experience": ("service", "nps"),
    "logistics_timeliness": ("logistics", "nps"),
    "logistics_reliability": ("logistics", "nps"),
}
"""Wordings of the question with the score: id -> industry and metric."""


@dataclass(frozen=True, slots=True)
class ReadyQuestion:
    """A further question with its wordings by language. `industries`: where it is usual; empty for everywhere."""

    question: Question
    industries: tuple[str, ...]
    texts: Mapping[str, QuestionTexts]


@dataclass(frozen=True, slots=True)
class ReadyWording:
    """Another wording of the question with the score, by language."""

    wording_id: str
    industry: str
    metric: Metric
    texts: Mapping[str, QuestionTexts]


@cache
def ready_questions() -> tuple[ReadyQuestion, ...]:
    """Ratings first, then choices and others."""
    industries: dict[str, tuple[str, ...]] = {}
    for industry, attributes in ATTRIBUTES.items():
        for attribute in attributes:
            industries[attribute] = (*industries.get(attribute, ()), industry)
    industries |= dict.fromkeys(ANY_INDUSTRY, ())
    found = []
    for attribute, usual in industries.items():
        found.append(_ready(Question(attribute, "rating", attribute), usual))
    for question in (COMPETITORS, CHOOSING, EASE, IMPROVE_FIRST):
        found.append(_ready(question, ()))
    return tuple(found)


@cache
def ready_wordings() -> tuple[ReadyWording, ...]:
    """All of WORDINGS with their texts."""
    found = []
    for wording_id, (industry, metric) in WORDINGS.items():
        texts = {}
        for language in COMPLETE:
            words = shipped(language)
            ends = words["scales"][metric]
            texts[language] = QuestionTexts(words["wordings"][wording_id], ends["low"], ends["high"])
        found.append(ReadyWording(wording_id, industry, metric, texts))
    return tuple(found)


def wording_of(question: Question, language: str) -> QuestionTexts:
    """The shipped wording of a ready-made question. Raises KeyError for another question or language."""
    words = shipped(language)
    if question.type == "rating":
        text = words["rate"].replace("{attribute}", words["attributes"][question.question_id])
        return QuestionTexts(text, words["scales"]["rating"]["low"], words["scales"]["rating"]["high"])
    return QuestionTexts(**words["questions"][question.question_id])


def _ready(question: Question, industries: tuple[str, ...]) -> ReadyQuestion:
    return ReadyQuestion(question, industries, {language: wording_of(question, language) for language in COMPLETE})
