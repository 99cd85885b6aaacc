"""A survey: one question with a score, the reason for it, a few further questions, and its texts by language.

The scored question is always asked first and always required; the reason question always follows it. Both are no part
of `questions`, so that no survey can have two scores. A published version of a survey is frozen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from services.outreach.domain.field_reader import is_https
from shared.amendments import SCALES

Metric = Literal["nps", "csat", "ces"]
NpsKind = Literal["relationship", "transactional", "project"]
QuestionType = Literal["csat", "ces", "rating", "choice", "text"]
Category = Literal["promoter", "passive", "detractor", "satisfied", "neutral", "dissatisfied"]

METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
NPS_KINDS: Final[tuple[NpsKind, ...]] = get_args(NpsKind)
QUESTION_TYPES: Final[tuple[QuestionType, ...]] = get_args(QuestionType)
NPS_CATEGORIES: Final[tuple[Category, ...]] = ("promoter", "passive", "detractor")
OTHER_CATEGORIES: Final[tuple[Category, ...]] = ("satisfied", "neutral", "dissatisfied")
RATING: Final = (1, 5)
"""Every rating has this scale: drivers guess the scale of an attribute from the highest value that anybody gave."""
_LOWEST_BEST: Final = {"nps": 9, "csat": 4, "ces": 5}
_LOWEST_MIDDLE: Final = {"nps": 7, "csat": 3, "ces": 4}
BUTTONS: Final = ("send", "next", "finish")
"""`send` holds `{score}`, since the place of the number differs by language."""


@dataclass(frozen=True, slots=True)
class Question:
    """A further question. `attribute`: what a rating rates. `options`: slugs of a choice; `several`: more than one of
    them may be chosen."""

    question_id: str
    type: QuestionType
    attribute: str | None = None
    options: tuple[str, ...] = ()
    several: bool = False

    @property
    def scale(self) -> tuple[int, int] | None:
        """Smallest and largest value; None for choices and texts."""
        if self.type == "rating":
            return RATING
        return SCALES.get(self.type)


@dataclass(frozen=True, slots=True)
class QuestionTexts:
    """The wording of a question: `low` and `high` label the ends of a scale, `options` maps slug -> label."""

    text: str = ""
    low: str = ""
    high: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MailTexts:
    """What a mail says around the question."""

    subject: str = ""
    preheader: str = ""
    intro: str = ""
    sign_off: str = ""
    reminder_subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Texts:
    """All words of a survey in one language. A text that is missing is empty.

    `reasons` and `thanks`: by category. `questions`: by question_id. `buttons`: by name, see BUTTONS. `call`: may a
    leader call? `consent`: may praise be quoted? `referral`: would they introduce us to somebody? Without it nobody is
    asked that. `who_reads`: who reads the answer, with the name. `fallbacks`: what stands for a placeholder without a
    value. `reviewed_by`: who has read the translation; None marks a draft.
    """

    score: QuestionTexts = QuestionTexts()
    reasons: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, QuestionTexts] = field(default_factory=dict)
    thanks: Mapping[str, str] = field(default_factory=dict)
    buttons: Mapping[str, str] = field(default_factory=dict)
    call: str = ""
    consent: str = ""
    referral: str = ""
    who_reads: str = ""
    mail: MailTexts = MailTexts()
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    reviewed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Legal:
    """What the law wants to be named in mails and on pages."""

    legal_name: str = ""
    postal_address: str = ""
    imprint_url: str = ""
    privacy_url: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey as it is edited and published.

    `us`: what `{us}` stands for, such as the short name of the company; without it the legal name. `product` is sent
    with the answers and is the value of `{product}`. `ratings_asked`: how many of the ratings one person is asked at
    most. `public_review_url`: shown to everybody on the last page, or to nobody. `booking_url`: where a call can be
    arranged, shown on the last page to the categories of `booking_for`. `colour`: of the company, `#rrggbb`; `logo`:
    the name of its picture.
    """

    name: str
    metric: Metric
    nps_kind: NpsKind
    touchpoint: str | None = None
    product: str | None = None
    us: str | None = None
    questions: tuple[Question, ...] = ()
    ratings_asked: int = 2
    default_language: str = "en"
    texts: Mapping[str, Texts] = field(default_factory=dict)
    legal: Legal = Legal()
    public_review_url: str | None = None
    booking_url: str | None = None
    booking_for: tuple[Category, ...] = ()
    colour: str | None = None
    logo: str | None = None

    @property
    def scale(self) -> tuple[int, int]:
        """Smallest and largest score."""
        return SCALES[self.metric]

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories of the metric, the best first."""
        return categories_of(self.metric)

    def question(self, question_id: str) -> Question | None:
        """The further question of this id."""
        for question in self.questions:
            if question.question_id == question_id:
                return question
        return None

    def language_for(self, wanted: Iterable[str | None]) -> str:
        """The first wanted language that the survey has, else its default. `de-AT` is content with `de`, and `pt` with
        any Portuguese there is."""
        for language in wanted:
            if language is None:
                continue
            if language in self.texts:
                return language
            base = language.partition("-")[0]
            for offered in (base, *sorted(self.texts)):
                if offered in self.texts and offered.partition("-")[0] == base:
                    return offered
        return self.default_language


def categories_of(metric: Metric) -> tuple[Category, ...]:
    """The three categories of a metric, the best first."""
    if metric == "nps":
        return NPS_CATEGORIES
    return OTHER_CATEGORIES


def booking_url(survey: Survey, category: str, own: str | None) -> str:
    """Where somebody of this category can arrange a call: at the account's own address, else at the survey's; empty
    where neither is an https address, or the survey offers no call to them."""
    if category not in survey.booking_for:
        return ""
    if own is not None and is_https(own):
        return own
    return survey.booking_url or ""


def category_of(metric: Metric, score: int) -> Category:
    """NPS: promoter 9 to 10, passive 7 to 8, detractor 0 to 6. CSAT: satisfied 4 to 5, neutral 3, dissatisfied 1 to 2.
    CES: satisfied 5 to 7, neutral 4, dissatisfied 1 to 3."""
    best, middle, worst = categories_of(metric)
    if score >= _LOWEST_BEST[metric]:
        return best
    if score >= _LOWEST_MIDDLE[metric]:
        return middle
    return worst
