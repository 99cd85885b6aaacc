"""Surveys as JSON: nothing is lost on the way, and everything that is wrong is named with its place."""

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.documents import survey_document, survey_from
from services.outreach.domain.problems import Faulty
from services.outreach.domain.templates import TEMPLATES, template_survey
from tests.unit.outreach.builders import CES, ONE_OF, SEVERAL, WORDS, rating, relationship

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("name", "metric", "nps_kind", "questions", "texts", "legal", "ratings_asked", "us", "public_review_url")


def document(**changes: Any) -> dict[str, Any]:
    """A survey with all kinds of questions, as it is sent."""
    survey = relationship(questions=(rating("trust"), SEVERAL, ONE_OF, WORDS, CES))
    found: dict[str, Any] = json.loads(json.dumps(survey_document(survey)))
    for texts in found["texts"].values():
        texts["questions"] = {}
    return found | changes


def problems(sent: Any) -> list[tuple[str, str]]:
    with pytest.raises(Faulty) as caught:
        survey_from(sent)
    return [(problem["field"], problem["code"]) for problem in caught.value.errors]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The document with another value at a place."""
    whole = copy.deepcopy(document())
    keys: list[Any] = [int(part) if part.isdigit() else part for part in path.split(".")]
    at: Any = whole
    for key in keys[:-1]:
        if isinstance(at, dict):
            at.setdefault(key, {})
        at = at[key]
    at[keys[-1]] = value
    return whole


@pytest.mark.parametrize("template", [template.template for template in TEMPLATES])
def test_a_survey_comes_back_as_it_was(template: str) -> None:
    survey = template_survey(template)
    assert survey_from(json.loads(json.dumps(survey_document(survey)))) == survey


def test_all_kinds_of_questions_come_back() -> None:
    survey = survey_from(document())
    assert survey.questions == (rating("trust"), SEVERAL, ONE_OF, WORDS, CES)
    assert survey_from(json.loads(json.dumps(survey_document(survey)))) == survey


def test_a_survey_needs_a_name_and_what_it_measures_and_no_more() -> None:
    survey = survey_from({"name": " Pulse ", "metric": "csat", "nps_kind": "transactional"})
    assert (survey.name, survey.texts, survey.questions, survey.ratings_asked) == ("Pulse", {}, (), 2)
    assert problems({}) == [("metric", "literal_error"), ("name", "missing"), ("nps_kind", "literal_error")]


def test_texts_are_kept_in_one_form() -> None:
    survey = survey_from(changed("texts.de.call", " Zuru\u0308ckrufen?\r\nBitte "))
    assert survey.texts["de"].call == "Zurückrufen?\nBitte"


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("metric", "ltv", ("metric", "literal_error")),
        ("name", "a\nb", ("name", "invalid_text")),
        ("name", "x" * 201, ("name", "too_long")),
        ("touchpoint", 7, ("touchpoint", "string_type")),
        ("ratings_asked", "2", ("ratings_asked", "out_of_range")),
        ("ratings_asked", True, ("ratings_asked", "out_of_range")),
        ("default_language", "german", ("default_language", "invalid_language")),
        ("color", "#ffffff", ("(unnamed)", "unknown_field")),
        ("colour", "red", ("colour", "invalid_colour")),
        ("colour", "#fff;}*{display:none", ("colour", "invalid_colour")),
        ("logo", "../page.css", ("logo", "invalid_logo")),
        ("booking_url", "http://supplier.example", ("booking_url", "invalid_url")),
        ("booking_for", ["satisfied"], ("booking_for.0", "literal_error")),
        ("legal.imprint_url", "http://northwind.example", ("legal.imprint_url", "invalid_url")),
        ("legal.privacy_url", "javascript:alert(1)", ("legal.privacy_url", "invalid_url")),
        ("public_review_url", "https://user@evil.example/", ("public_review_url", "invalid_url")),
        ("public_review_url", "https://[::1", ("public_review_url", "invalid_url")),
        ("public_review_url", "https://localhost/", ("public_review_url", "invalid_url")),
        ("questions", {}, ("questions", "list_type")),
        ("questions.0", 1, ("questions.0", "object_type")),
        ("questions.0.type", "nps", ("questions.0.type", "use_metric")),
        ("questions.0.type", "slider", ("questions.0.type", "literal_error")),
        ("questions.0.attribute", None, ("questions.0.attribute", "missing")),
        ("questions.0.question_id", "Trust!", ("questions.0.question_id", "invalid_slug")),
        ("questions.0.question_id", "ease", ("questions.4.question_id", "duplicate_question")),
        ("questions.0.several", True, ("questions.0.several", "not_a_choice")),
        ("questions.0.options", ["a", "b"], ("questions.0.options", "invalid_length")),
        ("questions.0.scale", 10, ("questions.0.(unnamed)", "unknown_field")),
        ("questions.1.options", ["a"], ("questions.1.options", "invalid_length")),
        ("questions.1.options", ["a", "a"], ("questions.1.options.1", "duplicate_option")),
        ("questions.1.several", "yes", ("questions.1.several", "bool_type")),
        ("questions.3", {"question_id": "b", "type": "ces"}, ("questions.4.type", "second_metric")),
        ("texts.klingon", {}, ("texts.(unnamed)", "invalid_language")),
        ("texts.de", "hallo", ("texts.de", "object_type")),
        ("texts.de.call", "{first_name}", ("texts.de.call", "unknown_placeholder")),
        ("texts.de.call", "{us", ("texts.de.call", "stray_brace")),
        ("texts.de.call", "a\x00b", ("texts.de.call", "invalid_text")),
        ("texts.de.call", "x" * 1001, ("texts.de.call", "too_long")),
        ("texts.de.score.text", "{score}", ("texts.de.score.text", "unknown_placeholder")),
        ("texts.de.buttons.send", "{us}", ("texts.de.buttons.send", "unknown_placeholder")),
        ("texts.de.buttons.cancel", "Nein", ("texts.de.buttons.(unnamed)", "unknown_field")),
        ("texts.de.fallbacks.us", "{us}", ("texts.de.fallbacks.us", "unknown_placeholder")),
        ("texts.de.reasons.satisfied", "Was?", ("texts.de.reasons.(unnamed)", "unknown_field")),
        ("texts.de.questions.nothing", {}, ("texts.de.questions.(unnamed)", "unknown_field")),
        (
            "texts.de.questions.choosing.options.new",
            "x",
            ("texts.de.questions.choosing.options.(unnamed)", "unknown_field"),
        ),
        ("texts.de.mail.subject", "a\nb", ("texts.de.mail.subject", "invalid_text")),
        ("texts.de.mail.reminder_subjects", ["a"] * 6, ("texts.de.mail.reminder_subjects", "invalid_length")),
        ("texts.de.mail.reminder_subjects", [3], ("texts.de.mail.reminder_subjects.0", "string_type")),
    ],
)
def test_what_is_wrong_is_named_with_its_place(path: str, value: Any, problem: tuple[str, str]) -> None:
    assert problems(changed(path, value)) == [problem]


def test_the_own_metric_is_no_further_question() -> None:
    sent = document(metric="csat", questions=[{"question_id": "more", "type": "csat"}], texts={})
    assert problems(sent) == [("questions.0.type", "use_metric")]


def test_all_problems_are_found_at_once() -> None:
    assert len(problems(document(name="", metric="x", legal=[]))) > 2


@given(sent=JSON)
def test_whatever_is_sent_is_read_or_refused(sent: Any) -> None:
    with pytest.raises(Faulty):
        survey_from(sent)


@given(name=st.sampled_from(FIELDS), value=JSON)
def test_whatever_a_field_holds_is_read_or_refused(name: str, value: Any) -> None:
    survey = None
    with suppress(Faulty):
        survey = survey_from(document(**{name: value}))
    assert survey is None or survey_from(survey_document(survey)) == survey
