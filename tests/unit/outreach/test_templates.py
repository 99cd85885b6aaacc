"""What is shipped to begin with: whole in every language that counts as complete, and as practice wants it."""

import json
import re
from typing import Any, get_args

import pytest

from services.outreach.domain.checks import forbidding, questions_asked, warnings
from services.outreach.domain.documents import survey_document, survey_from
from services.outreach.domain.languages import COMPLETE, DRAFTED
from services.outreach.domain.placeholders import fault
from services.outreach.domain.ready_questions import ATTRIBUTES, ready_questions, ready_wordings
from services.outreach.domain.shipped import draft_texts, ours, shipped
from services.outreach.domain.surveys import Survey
from services.outreach.domain.templates import TEMPLATES, preset_survey, presets, template_survey, templates_document
from shared.events.context import ContextKind
from shared.industries import NAMES

NAMED = [template.template for template in TEMPLATES]
PRESETS = [preset.preset_id for preset in presets()]
NEW_KINDS = {"purchased", "contract_ended"}
FAMILIAR = {
    "de": r"\b(?:du|dich|dir|dein\w*|euch|euer\w*|eure\w*)\b",
    "fr": r"\b(?:tu|toi|ton|tes|t’\w+)\b",
    "es": r"\b(?:tú|tus?|te|contigo|vosotros|vuestr\w+)\b",
}
OURS = {"it": {"text", "low", "high"}, "pl": {"text", "low", "high"}, "ar": {"high"}}


def leaves(words: Any, place: str = "") -> dict[str, str]:
    """Place -> text of all texts of a file."""
    if isinstance(words, list):
        words = dict(enumerate(words))
    if not isinstance(words, dict):
        return {place: words}
    found: dict[str, str] = {}
    for name, item in words.items():
        found |= leaves(item, f"{place}.{name}")
    return found


def of_the_law_alone(survey: Survey) -> bool:
    return {problem.field.partition(".")[0] for problem in forbidding(survey)} == {"legal"}


def test_there_are_five_templates() -> None:
    assert NAMED == ["relationship", "project", "csat", "ces", "review"]


@pytest.mark.parametrize("name", NAMED)
def test_a_template_lacks_nothing_but_the_legal_notice(name: str) -> None:
    survey = template_survey(name)
    assert tuple(survey.texts) == COMPLETE
    assert of_the_law_alone(survey)
    assert {problem.code for problem in warnings(survey, COMPLETE)} == {"draft_translation"}


def test_q9_relationship_surveys_have_five_to_seven_questions_and_others_two_or_three() -> None:
    counts = {name: questions_asked(template_survey(name)) for name in NAMED}
    assert counts == {"relationship": 5, "project": 3, "csat": 2, "ces": 2, "review": 6}


def test_r1_a_review_ends_with_the_question_and_four_ratings() -> None:
    survey = template_survey("review")
    attributes = [question.attribute for question in survey.questions]
    assert (survey.metric, survey.ratings_asked) == ("nps", 4)
    assert attributes == ["service", "relationship", "value", "quality"]


def test_a_template_can_be_had_in_some_languages_only() -> None:
    survey = template_survey("csat", ("de",))
    assert (tuple(survey.texts), survey.default_language) == (("de",), "de")


@pytest.mark.parametrize("language", COMPLETE)
def test_all_complete_languages_say_the_same_things(language: str) -> None:
    english, other = leaves(shipped("en")), leaves(shipped(language))
    assert other.keys() == english.keys()
    assert [place for place, text in other.items() if text == "" and english[place] != ""] == []


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_customers_are_addressed_formally(language: str) -> None:
    texts = leaves(shipped(language)).items()
    familiar = re.compile(FAMILIAR[language], re.IGNORECASE)
    assert [(place, text) for place, text in texts if text and familiar.search(text)] == []


@pytest.mark.parametrize("language", COMPLETE)
def test_every_placeholder_of_the_shipped_texts_is_known(language: str) -> None:
    words = shipped(language)
    for part in ("scores", "reasons", "thanks", "mails", "wordings", "attributes", "questions", "scales"):
        assert [place for place, text in leaves(words[part]).items() if fault(text)] == []


def test_the_blank_before_french_punctuation_does_not_break() -> None:
    assert [text for text in leaves(shipped("fr")).values() if text and re.search(r" [?!:;]", text)] == []


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "How likely are you to recommend {us} to a friend or colleague?"),
        ("de", "Wie wahrscheinlich ist es, dass Sie {us} einem Freund oder Kollegen empfehlen?"),
        ("fr", "Quelle est la probabilité que vous recommandiez {us} à un ami ou collègue\u00a0?"),
        ("es", "¿Qué probabilidad hay de que recomiende {us} a un amigo o colega?"),
    ],
)
def test_q1_the_question_is_the_one_that_everybody_asks(language: str, sentence: str) -> None:
    for name in ("relationship", "review"):
        assert template_survey(name).texts[language].score.text == sentence


def test_drafts_of_other_languages_have_the_question_and_its_ends_and_nobody_has_read_them() -> None:
    assert len(COMPLETE) + len(DRAFTED) == 17
    for language in DRAFTED:
        texts = draft_texts(language)
        assert "{us}" in texts.score.text
        assert texts.score.low
        assert texts.score.high
        assert texts.fallbacks["us"]
        assert texts.reviewed_by is None
        survey_from(survey_document(Survey("x", "nps", "relationship", texts={language: texts})))
        assert set(ours(language)) == OURS.get(language, set())


def test_a_draft_is_there_for_known_languages_only() -> None:
    with pytest.raises(KeyError):
        draft_texts("en")


def test_there_are_twenty_touchpoints_of_six_industries() -> None:
    counted: dict[str, int] = {}
    for preset in presets():
        counted[preset.industry] = counted.get(preset.industry, 0) + 1
    assert counted == {
        "saas": 4,
        "manufacturing": 4,
        "marketing_advertising": 2,
        "fintech": 4,
        "service": 3,
        "logistics": 3,
    }
    assert counted.keys() <= NAMES.keys()
    assert len(set(PRESETS)) == 20


@pytest.mark.parametrize("preset", presets(), ids=PRESETS)
def test_a_touchpoint_is_a_whole_survey(preset: Any) -> None:
    for metric in (preset.metric, *preset.also):
        survey = preset_survey(preset.preset_id, metric)
        assert survey.metric == metric
        assert survey.name == preset.name
        assert of_the_law_alone(survey)
        assert {problem.code for problem in warnings(survey)} == {"draft_translation"}
    assert all((preset.audience, preset.moment, preset.why))


@pytest.mark.parametrize("preset", presets(), ids=PRESETS)
def test_a_touchpoint_is_started_by_events_that_exist(preset: Any) -> None:
    assert set(preset.events) <= {*get_args(ContextKind), *NEW_KINDS}
    assert (preset.after_days is not None) == bool(preset.events)


def test_what_neither_events_nor_time_start_is_started_by_hand() -> None:
    by_hand = [preset.preset_id for preset in presets() if not preset.events and not preset.repeat_days]
    assert by_hand == ["logistics_account"]


def test_users_are_asked_each_quarter_and_decision_makers_each_half_year() -> None:
    repeats = {preset.preset_id: preset.repeat_days for preset in presets()}
    assert repeats["saas_relationship"] == {"user": 91, "decision_maker": 182}
    assert repeats["manufacturing_purchase"] == {"all": 182}


@pytest.mark.parametrize(
    ("preset_id", "metric", "sentence"),
    [
        ("saas_onboarding", None, "How easy was it to get started with {product}?"),
        ("saas_onboarding", "csat", "How satisfied are you with the way you were brought on board?"),
        ("logistics_delivery", None, "How satisfied are you with the delivery of your order?"),
        ("fintech_support", "csat", "How satisfied are you with the support that you received?"),
    ],
)
def test_a_touchpoint_has_a_wording_of_its_own(preset_id: str, metric: Any, sentence: str) -> None:
    assert preset_survey(preset_id, metric).texts["en"].score.text == sentence


def test_a_new_feature_is_asked_about_by_satisfaction_and_effort() -> None:
    survey = preset_survey("saas_feature")
    assert survey.metric == "csat"
    assert [question.type for question in survey.questions] == ["ces"]


@pytest.mark.parametrize(("preset_id", "metric"), [("saas_support", "nps"), ("nothing", None)])
def test_there_is_no_touchpoint_of_another_name_or_metric(preset_id: str, metric: Any) -> None:
    with pytest.raises(KeyError):
        preset_survey(preset_id, metric)


def test_q7_every_attribute_of_an_industry_can_be_added_as_a_rating() -> None:
    ready = {item.question.question_id: item for item in ready_questions()}
    assert len(ready) == len(ready_questions())
    for industry, attributes in ATTRIBUTES.items():
        for attribute in attributes:
            item = ready[attribute]
            assert (item.question.type, item.question.attribute) == ("rating", attribute)
            assert industry in item.industries or not item.industries


def test_ready_questions_have_words_and_labels_in_every_language() -> None:
    for item in ready_questions():
        assert tuple(item.texts) == COMPLETE
        for wording in item.texts.values():
            assert wording.text
            assert tuple(wording.options) == item.question.options
            assert bool(wording.low and wording.high) == (item.question.scale is not None)


def test_a2_q8_brand_and_competitors_are_asked_by_choices() -> None:
    ready = {item.question.question_id: item.question for item in ready_questions()}
    assert ready["choosing"].several
    assert not ready["competitors"].several
    assert "cannot_say" in ready["competitors"].options


def test_q6_there_are_twelve_other_wordings_of_the_scored_question() -> None:
    wordings = ready_wordings()
    assert len(wordings) == 12
    assert [wording.wording_id for wording in wordings if wording.metric != "nps"] == ["service_quality"]
    for wording in wordings:
        assert wording.industry in NAMES
        assert tuple(wording.texts) == COMPLETE


def test_all_of_it_is_json() -> None:
    document = templates_document()
    assert {name: len(items) for name, items in document.items()} == {
        "templates": 5,
        "presets": 20,
        "questions": len(ready_questions()),
        "wordings": 12,
        "drafts": 13,
    }
    plain = json.loads(json.dumps(document))
    assert plain["drafts"][0]["texts"]["reviewed_by"] is None
    assert plain["drafts"][0]["texts"]["fallbacks"] == {"us": "la nostra azienda"}
    assert plain["templates"][0]["survey"]["texts"]["de"]["score"]["high"] == "Äußerst wahrscheinlich"
