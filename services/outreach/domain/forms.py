"""Reads what the page's form posted. What is left empty keeps the answer from before, since the page shows none; a
comment is taken back by a box of its own."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.outreach.domain.answering import Answers, Value
from services.outreach.domain.problems import Faulty, FieldProblem
from services.outreach.domain.surveys import Metric, Question, Survey, categories_of
from shared.amendments import SCALES

MAX_FIELDS: Final = 20
MAX_TEXT: Final = 10_000
"""Characters of a comment and of an answer in words; the collector takes as many."""
SCORE, COMMENT, REASON, CALL, QUOTE, FINISHED = "score", "comment", "reason", "call", "quote", "finished"
REFERRAL: Final = "referral"
NO_COMMENT: Final = "no_comment"
"""The box that takes the comment back."""
QUESTION: Final = "q."
"""Before the id of a further question; a field that comes several times has several values."""
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_INTEGER = re.compile(r"[0-9]{1,2}")

Fields = Sequence[tuple[str, str]]
"""The fields of a form in their order, decoded."""


def score_in(metric: Metric, text: str) -> int | None:
    """The score that a text such as that of `?s=` stands for; None unless it is an integer of the scale."""
    return _integer(text, SCALES[metric])


def clean(text: str) -> str:
    """NFC, trimmed, lines ended by a line feed; without control characters and without those that turn the direction
    of writing, which could make a comment read as what it does not say."""
    text = _BIDI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", _CONTROL.sub("", text)).strip()


def read_form(survey: Survey, fields: Fields, language: str, before: Answers | None = None) -> Answers:
    """The answers after this form: `before` and what the form brings. Fields of other names are passed over.

    Raises `Faulty`, with the form's own field names: `too_many_fields`, `score_missing`, `not_on_scale`,
    `not_an_option`, `too_long`.
    """
    if len(fields) > MAX_FIELDS:
        raise Faulty([FieldProblem("", "too_many_fields", f"a form has at most {MAX_FIELDS} fields")])
    problems: list[FieldProblem] = []
    given = _gathered(fields)
    score = _score(survey, given, before, problems)
    answers = before or Answers(score, language)
    values = dict(answers.values)
    for question in survey.questions:
        name = QUESTION + question.question_id
        if name in given:
            value = _value(question, given[name], problems)
            if value is not None:
                values[question.question_id] = value
    comment = _text(COMMENT, given.get(COMMENT, [""]), problems)
    if problems:
        raise Faulty(problems)
    answers = replace(answers, score=score, language=language, values=values)
    if comment is not None:
        answers = replace(answers, comment=comment, reason_question=_reason(survey, given))
    elif NO_COMMENT in given:
        answers = replace(answers, comment=None, reason_question=None)
    return replace(
        answers,
        follow_up_requested=_flag(given, CALL, answers.follow_up_requested),
        quote_allowed=_flag(given, QUOTE, answers.quote_allowed),
        referral_offered=_flag(given, REFERRAL, answers.referral_offered),
        finished=answers.finished or FINISHED in given,
    )


def _gathered(fields: Fields) -> dict[str, list[str]]:
    """Name -> values that are not empty."""
    given: dict[str, list[str]] = {}
    for name, value in fields:
        if value.strip():
            given.setdefault(name, []).append(value)
    return given


def _score(survey: Survey, given: dict[str, list[str]], before: Answers | None, problems: list[FieldProblem]) -> int:
    low, high = survey.scale
    if SCORE not in given:
        if before is not None:
            return before.score
        problems.append(FieldProblem(SCORE, "score_missing", "choose a number"))
        return low
    score = score_in(survey.metric, given[SCORE][-1])
    if score is None:
        problems.append(FieldProblem(SCORE, "not_on_scale", f"must be an integer from {low} to {high}"))
        return low
    return score


def _value(question: Question, texts: list[str], problems: list[FieldProblem]) -> Value | None:
    """The value of a further question; None where it stays as it was."""
    name = QUESTION + question.question_id
    if question.type == "text":
        return _text(name, texts, problems)
    if question.type == "choice":
        chosen = tuple(dict.fromkeys(texts))
        if not set(chosen) <= set(question.options):
            problems.append(FieldProblem(name, "not_an_option", "must be one of the options"))
            return None
        if question.several:
            return chosen
        return chosen[-1]
    scale = question.scale
    value = None
    if scale is not None:
        value = _integer(texts[-1], scale)
    if value is None:
        problems.append(FieldProblem(name, "not_on_scale", "must be an integer of the scale"))
    return value


def _text(name: str, texts: list[str], problems: list[FieldProblem]) -> str | None:
    """The cleaned text; None where nothing is left of it."""
    text = clean(texts[-1])
    if len(text) > MAX_TEXT:
        problems.append(FieldProblem(name, "too_long", f"must have at most {MAX_TEXT:,} characters"))
        return None
    return text or None


def _reason(survey: Survey, given: dict[str, list[str]]) -> str | None:
    """Whose wording of the reason question was shown."""
    shown = given.get(REASON, [""])[-1]
    for category in categories_of(survey.metric):
        if category == shown:
            return category
    return None


def _flag(given: dict[str, list[str]], name: str, before: bool | None) -> bool | None:
    if name not in given:
        return before
    return given[name][-1] == "yes"


def _integer(text: str, scale: tuple[int, int]) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    if str(value) != text or not scale[0] <= value <= scale[1]:
        return None
    return value
