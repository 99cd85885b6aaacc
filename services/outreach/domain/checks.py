"""What is wrong with a survey before anybody is asked: what forbids publishing it, and what its author is warned of."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from services.outreach.domain import placeholders
from services.outreach.domain.forms import MAX_FIELDS
from services.outreach.domain.languages import base_of
from services.outreach.domain.problems import FieldProblem
from services.outreach.domain.surveys import BUTTONS, Question, QuestionTexts, Survey, Texts

MOST_QUESTIONS: Final = {"relationship": 7, "transactional": 3, "project": 3}
"""Above so many questions fewer people answer."""
_SCORE_AND_REASON: Final = 2
_OTHER_FIELDS: Final = 7
"""Of a form beside the further questions, at most: language, step, which reason, call, quote, referral, finished; or
score, comment and whether it is taken back in place of reason, quote and referral."""
_MAIL: Final = ("subject", "preheader", "intro", "sign_off")
_LEADING: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        *("great", "excellent", "amazing", "outstanding", "world-class", "award-winning", "best", "leading", "love"),
        *("don't you", "do you agree", "how much better", "how good", "how happy", "how pleased", "enjoy"),
    ),
    "de": (
        *("großartig\\w*", "hervorragend\\w*", "ausgezeichnet\\w*", "exzellent\\w*", "erstklassig\\w*", "führend\\w*"),
        *("beste[nrs]?", "stimmen sie zu", "finden sie nicht", "wie gut", "wie begeistert", "gerne"),
    ),
    "fr": (
        *("excellente?s?", "formidables?", "exceptionnel(?:le)?s?", "meilleure?s?", "leader", "adorez"),
        *("êtes-vous d.accord", "ne trouvez-vous pas", "à quel point appréciez"),
    ),
    "es": (
        *("excelentes?", "magn[ií]fic[oa]s?", "excepcional(?:es)?", "mejor(?:es)?", "líder(?:es)?", "le encanta"),
        *("está de acuerdo", "no cree que", "cuánto disfruta"),
    ),
}
"""Words that suggest an answer, as patterns of whole words."""


def forbidding(survey: Survey) -> list[FieldProblem]:
    """What must be put right before the survey can be published; empty for one that can."""
    return [*_without_texts(survey), *_of_law(survey), *_of_texts(survey), *_of_the_form(survey)]


def warnings(survey: Survey, wanted: tuple[str, ...] = ()) -> list[FieldProblem]:
    """What its author should look at. `wanted`: languages of the people who would be asked."""
    found: list[FieldProblem] = []
    most, count = MOST_QUESTIONS[survey.nps_kind], questions_asked(survey)
    if count > most:
        detail = f"asks {count} questions; above {most} fewer people answer"
        found.append(FieldProblem("questions", "too_many_questions", detail))
    for language in wanted:
        if base_of(survey.language_for([language])) != base_of(language):
            detail = "people with this language are asked in the default language"
            found.append(FieldProblem(f"texts.{language}", "missing_language", detail))
    for language, texts in survey.texts.items():
        if texts.reviewed_by is None:
            detail = "nobody has read this translation yet; who has is named in reviewed_by"
            found.append(FieldProblem(f"texts.{language}.reviewed_by", "draft_translation", detail))
        for field, wording in _questions_of(survey, texts):
            place = f"texts.{language}.{field}"
            if _is_leading(language, wording.text):
                found.append(FieldProblem(f"{place}.text", "leading_wording", "a word of it suggests an answer"))
            if _has_ends(survey, field) and not (wording.low and wording.high):
                found.append(FieldProblem(place, "missing_end_labels", "the ends of the scale have no labels"))
    return found


def questions_asked(survey: Survey) -> int:
    """How many questions one person is asked at most: the score, the reason, the ratings chosen, all others."""
    ratings = sum(question.type == "rating" for question in survey.questions)
    others = len(survey.questions) - ratings
    return _SCORE_AND_REASON + min(ratings, survey.ratings_asked) + others


def _without_texts(survey: Survey) -> Iterator[FieldProblem]:
    if survey.default_language not in survey.texts:
        yield FieldProblem("default_language", "missing_texts", "the default language has no texts")


def _of_law(survey: Survey) -> Iterator[FieldProblem]:
    legal = {
        "legal_name": survey.legal.legal_name,
        "postal_address": survey.legal.postal_address,
        "imprint_url": survey.legal.imprint_url,
        "privacy_url": survey.legal.privacy_url,
    }
    for name, value in legal.items():
        if not value:
            yield FieldProblem(f"legal.{name}", "missing", "mails and pages must say it")


def _of_texts(survey: Survey) -> Iterator[FieldProblem]:
    for language, texts in survey.texts.items():
        place = f"texts.{language}"
        named: set[str] = set()
        for field, text in _texts_of(survey, texts):
            named |= placeholders.used(text)
            if not text:
                yield FieldProblem(f"{place}.{field}", "missing", "the text is empty")
        for _, wording in _questions_of(survey, texts):
            named |= placeholders.used(wording.low) | placeholders.used(wording.high)
        for name in sorted(named - texts.fallbacks.keys() - {placeholders.SCORE}):
            detail = f"{{{name}}} has no fallback; an empty one takes the blank before it along"
            yield FieldProblem(f"{place}.fallbacks.{name}", "missing_fallback", detail)
        if placeholders.SCORE not in placeholders.used(texts.buttons.get("send", "")):
            yield FieldProblem(f"{place}.buttons.send", "missing_score", "the button must say {score}")


def _of_the_form(survey: Survey) -> Iterator[FieldProblem]:
    """A browser sends a field for each question, and for each option that was chosen."""
    fields = _OTHER_FIELDS
    ratings = 0
    for question in survey.questions:
        if question.type == "rating":
            ratings += 1
        elif question.several:
            fields += len(question.options)
        else:
            fields += 1
    if fields + min(ratings, survey.ratings_asked) > MAX_FIELDS:
        yield FieldProblem("questions", "too_many_fields", f"a page has at most {MAX_FIELDS} fields")


def _texts_of(survey: Survey, texts: Texts) -> Iterator[tuple[str, str]]:
    """Place and text of all that is shown in one language and may not be empty, but for labels of ends."""
    for field, wording in _questions_of(survey, texts):
        yield f"{field}.text", wording.text
    for question in survey.questions:
        labels = texts.questions.get(question.question_id, QuestionTexts()).options
        for option in question.options:
            yield f"questions.{question.question_id}.options.{option}", labels.get(option, "")
    for category in survey.categories:
        yield f"reasons.{category}", texts.reasons.get(category, "")
        yield f"thanks.{category}", texts.thanks.get(category, "")
    for name in BUTTONS:
        yield f"buttons.{name}", texts.buttons.get(name, "")
    yield from (("call", texts.call), ("consent", texts.consent), ("who_reads", texts.who_reads))
    for name in _MAIL:
        yield f"mail.{name}", getattr(texts.mail, name)
    if not texts.mail.reminder_subjects:
        yield "mail.reminder_subjects", ""
    for index, subject in enumerate(texts.mail.reminder_subjects):
        yield f"mail.reminder_subjects.{index}", subject


def _questions_of(survey: Survey, texts: Texts) -> Iterator[tuple[str, QuestionTexts]]:
    yield "score", texts.score
    for question in survey.questions:
        name = question.question_id
        yield f"questions.{name}", texts.questions.get(name, QuestionTexts())


def _has_ends(survey: Survey, field: str) -> bool:
    """Whether the question at this place has a scale."""
    question: Question | None = survey.question(field.partition(".")[2])
    return field == "score" or (question is not None and question.scale is not None)


def _is_leading(language: str, text: str) -> bool:
    words = _LEADING.get(base_of(language), ())
    pattern = "|".join(rf"\b(?:{word})\b" for word in words)
    return bool(words) and re.search(pattern, text, re.IGNORECASE) is not None
