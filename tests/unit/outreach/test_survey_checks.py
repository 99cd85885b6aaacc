"""What forbids publishing a survey, and what its author is warned of."""

from dataclasses import replace
from typing import Any

import pytest

from services.outreach.domain.checks import forbidding, questions_asked, warnings
from services.outreach.domain.problems import FieldProblem
from services.outreach.domain.surveys import Legal, QuestionTexts, Survey, Texts
from services.outreach.domain.templates import template_survey
from tests.unit.outreach.builders import CES, CSAT, ONE_OF, SEVERAL, WORDS, rating, relationship


def listed(problems: list[FieldProblem]) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in problems]


def worded(survey: Survey, language: str = "en", **changes: Any) -> Survey:
    """The survey with other texts in one language."""
    texts = replace(survey.texts[language], **changes)
    return replace(survey, texts={**survey.texts, language: texts})


def reviewed(survey: Survey) -> Survey:
    for language in survey.texts:
        survey = worded(survey, language, reviewed_by="a native")
    return survey


def test_a_shipped_survey_with_its_legal_notice_can_be_published() -> None:
    assert forbidding(relationship()) == []


def test_the_law_wants_four_things_named() -> None:
    expected = [f"legal.{name}" for name in ("legal_name", "postal_address", "imprint_url", "privacy_url")]
    found = forbidding(replace(relationship(), legal=Legal()))
    assert listed(found) == [(field, "missing") for field in expected]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"who_reads": ""}, ("texts.en.who_reads", "missing")),
        ({"call": ""}, ("texts.en.call", "missing")),
        ({"reasons": {"promoter": "Why?", "passive": "Why?"}}, ("texts.en.reasons.detractor", "missing")),
        ({"buttons": {"send": "Send", "next": "Next", "finish": "Done"}}, ("texts.en.buttons.send", "missing_score")),
        ({"call": "May {sender} call {name}?", "fallbacks": {"us": "us", "account": "you", "sender": "x"}},
         ("texts.en.fallbacks.name", "missing_fallback")),
    ],
)  # fmt: skip
def test_a_text_or_a_fallback_that_is_missing_forbids_publishing(
    changes: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert listed(forbidding(worded(relationship(), **changes))) == [problem]


def test_placeholders_in_the_labels_of_ends_need_a_fallback_too() -> None:
    score = QuestionTexts("How likely?", "never {product}", "always")
    fallbacks = {"us": "we", "name": "", "account": "you", "sender": "we"}
    found = forbidding(worded(relationship(), score=score, fallbacks=fallbacks))
    assert listed(found) == [("texts.en.fallbacks.product", "missing_fallback")]


def test_every_question_and_every_option_needs_its_words() -> None:
    survey = relationship(questions=(ONE_OF,), texts={"en": relationship().texts["en"]})
    survey = worded(
        survey, questions={"competitors": QuestionTexts("How do we compare?", options={"better": "Better"})}
    )
    places = [f"texts.en.questions.competitors.options.{option}" for option in ("same", "worse")]
    assert listed(forbidding(survey)) == [(place, "missing") for place in places]


def test_the_default_language_must_have_texts() -> None:
    assert listed(forbidding(relationship(default_language="it"))) == [("default_language", "missing_texts")]


def test_a_page_never_has_more_fields_than_are_read() -> None:
    choices = [replace(SEVERAL, question_id=f"q{number}", options=tuple("abcdefgh")) for number in range(2)]
    survey = relationship(questions=tuple(choices), texts={})
    assert ("questions", "too_many_fields") in listed(forbidding(survey))
    assert ("questions", "too_many_fields") not in listed(forbidding(replace(survey, questions=(choices[0],))))


def test_an_empty_language_misses_everything_that_is_shown() -> None:
    found = listed(forbidding(relationship(texts={"en": Texts()}, questions=())))
    assert {code for _, code in found} == {"missing", "missing_score"}
    assert {"texts.en.score.text", "texts.en.thanks.promoter", "texts.en.mail.subject"} <= {place for place, _ in found}


@pytest.mark.parametrize(
    ("template", "more", "count", "warned"),
    [
        ("relationship", (), 5, False),
        ("relationship", (WORDS, CSAT), 7, False),
        ("relationship", (WORDS, CSAT, CES), 8, True),
        ("csat", (WORDS,), 3, False),
        ("csat", (WORDS, CES), 4, True),
        ("project", (), 3, False),
        ("project", (rating("trust"),), 3, False),
        ("review", (), 6, False),
    ],
)
def test_more_questions_than_people_answer_are_a_warning(
    template: str, more: tuple[Any, ...], count: int, warned: bool
) -> None:
    """Counted is what one person is asked, not every rating that there is."""
    survey = template_survey(template)
    survey = replace(survey, questions=(*survey.questions, *more))
    assert questions_asked(survey) == count
    assert (("questions", "too_many_questions") in listed(warnings(survey))) == warned


def test_translations_that_nobody_has_read_are_a_warning() -> None:
    drafts = [(f"texts.{language}.reviewed_by", "draft_translation") for language in ("de", "fr", "es")]
    assert listed(warnings(relationship())) == drafts
    assert warnings(reviewed(relationship())) == []


def test_people_without_texts_in_their_language_are_a_warning() -> None:
    found = warnings(reviewed(relationship()), ("de-AT", "it", "en"))
    assert listed(found) == [("texts.it", "missing_language")]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "How likely are you to recommend our award-winning service?"),
        ("en", "Do you agree that we respond fast?"),
        ("de", "Wie gut finden Sie unsere hervorragende Betreuung?"),
        ("fr", "Recommandez-vous notre excellent service ?"),
        ("es", "¿Recomienda nuestro excelente servicio?"),
    ],
)
def test_a_leading_wording_is_a_warning(language: str, text: str) -> None:
    survey = reviewed(relationship())
    score = replace(survey.texts[language].score, text=text)
    found = listed(warnings(worded(survey, language, score=score)))
    assert found == [(f"texts.{language}.score.text", "leading_wording")]


@pytest.mark.parametrize("text", ["What is the greatest obstacle?", "Which Manchester office do you know?"])
def test_a_word_within_another_leads_nobody(text: str) -> None:
    survey = reviewed(relationship())
    score = replace(survey.texts["en"].score, text=text)
    assert warnings(worded(survey, score=score)) == []


def test_a_scale_without_labels_at_its_ends_is_a_warning() -> None:
    survey = reviewed(relationship())
    trust = QuestionTexts("How far can you trust us?", low="Not at all")
    questions = {**survey.texts["en"].questions, "trust": trust}
    survey = worded(survey, questions=questions, score=QuestionTexts("How likely?"))
    places = ["texts.en.score", "texts.en.questions.trust"]
    assert listed(warnings(survey)) == [(place, "missing_end_labels") for place in places]


def test_choices_and_texts_need_no_ends() -> None:
    survey = replace(reviewed(relationship()), questions=(ONE_OF, WORDS))
    assert warnings(survey) == []
