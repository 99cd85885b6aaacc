"""What practitioners expect of the questions, row by row: subjects, scales, labels, metrics side by side, a call."""

from dataclasses import replace

import pytest

from services.outreach.domain.answering import Answers, response_body
from services.outreach.domain.languages import COMPLETE
from services.outreach.domain.page_words import page_words
from services.outreach.domain.placeholders import used
from services.outreach.domain.ready_questions import ready_wordings
from services.outreach.domain.reviews import trend_of
from services.outreach.domain.templates import TEMPLATES, preset_survey, presets, template_survey
from tests.unit.outreach.builders import CES, CSAT, NOW, asked, relationship

SUBJECTS = {
    "the company": (("us",), "logistics_reliability"),
    "a product": (("product",), "saas_value"),
    "a service": ((), "service_quality"),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_q2_the_subject_is_the_company_a_product_or_a_service(subject: str) -> None:
    names, wording_id = SUBJECTS[subject]
    wording = next(wording for wording in ready_wordings() if wording.wording_id == wording_id)
    for language in COMPLETE:
        assert used(wording.texts[language].text) == set(names)


def test_q2_the_product_goes_with_the_answer() -> None:
    body = response_body(asked(), relationship(product="Express"), Answers(9, "en"), NOW)
    assert body["product"] == "Express"


@pytest.mark.parametrize("name", [template.template for template in TEMPLATES])
def test_q3_both_ends_of_every_scale_have_labels_in_every_language(name: str) -> None:
    survey = template_survey(name)
    for texts in survey.texts.values():
        wordings = [texts.score]
        for question in survey.questions:
            if question.scale is not None:
                wordings.append(texts.questions[question.question_id])
        assert all(wording.low and wording.high for wording in wordings)


def test_q3_ten_is_extremely_likely() -> None:
    survey = template_survey("relationship")
    assert survey.scale == (0, 10)
    assert survey.texts["en"].score.high == "Extremely likely"


def test_q4_five_points_are_asked_beside_eleven() -> None:
    assert template_survey("csat").scale == (1, 5)
    assert {question.scale for question in template_survey("review").questions} == {(1, 5)}


def test_q10_satisfaction_and_effort_are_asked_beside_the_score() -> None:
    survey = relationship(questions=(CSAT, CES))
    answers = Answers(9, "en", values={"satisfaction": 4, "ease": 6})
    told = response_body(asked(), survey, answers, NOW)["answers"]
    assert [(answer["type"], answer["value"]) for answer in told] == [("csat", 4), ("ces", 6)]


def test_q11_a_call_by_a_leader_can_be_asked_for() -> None:
    for texts in template_survey("relationship").texts.values():
        assert texts.call
    answers = Answers(3, "en", follow_up_requested=True)
    assert response_body(asked(), relationship(), answers, NOW)["follow_up_requested"] is True
    quiet = replace(answers, follow_up_requested=None)
    assert response_body(asked(), relationship(), quiet, NOW)["follow_up_requested"] is False


def test_w1_users_and_decision_makers_have_touchpoints_of_their_own() -> None:
    asked_each = {kind for preset in presets() for kind in preset.repeat_days}
    assert {"user", "decision_maker"} <= asked_each


@pytest.mark.parametrize(
    ("then", "now", "word"), [(-5, 20, "up"), (20, -5, "down"), (20, 20, "same"), (None, 20, "now"), (20, None, "few")]
)
def test_r5_the_review_says_how_the_score_went(then: int | None, now: int | None, word: str) -> None:
    assert trend_of({"nps_then": then, "nps_now": now}) == word
    for language in COMPLETE:
        assert page_words(language).say(f"review_{word}", points="25", then="−5", now="20")


@pytest.mark.parametrize("language", COMPLETE)
def test_r7_the_review_defines_the_categories(language: str) -> None:
    definition = page_words(language).say("review_definition")
    for number in ("9", "10", "7", "8", "0", "6", "NPS", "−100", "100"):
        assert number in definition


@pytest.mark.parametrize("number", range(1, 21))
def test_1b_each_touchpoint_says_whom_when_and_why(number: int) -> None:
    preset = presets()[number - 1]
    assert preset.audience
    assert preset.moment
    assert preset.why
    assert preset_survey(preset.preset_id).metric == preset.metric
