"""A survey is edited a step at a time, and no step changes the document that it is given."""

import copy
from typing import Any

import pytest

from services.dashboard.domain import survey_texts, surveys


def a_survey() -> dict[str, Any]:
    return {
        "name": "Relationship",
        "metric": "nps",
        "nps_kind": "relationship",
        "default_language": "en",
        "questions": [
            {"question_id": "support", "type": "rating", "attribute": "support", "options": [], "several": False},
            {"question_id": "rivals", "type": "choice", "attribute": None, "options": ["better", "same"]},
        ],
        "texts": {
            "de": {"score": {"text": "Wie wahrscheinlich …?"}, "questions": {"support": {"text": "Die Hilfe?"}}},
            "en": {"score": {"text": "How likely …?"}, "questions": {"support": {"text": "Our support?"}}},
        },
    }


def ids(document: dict[str, Any]) -> list[str]:
    return [question["question_id"] for question in document["questions"]]


def test_the_default_language_comes_first() -> None:
    assert survey_texts.languages(a_survey()) == ["en", "de"]
    assert survey_texts.languages(a_survey() | {"default_language": "de"}) == ["de", "en"]
    assert survey_texts.languages({"metric": "nps"}) == []


def test_a_text_is_put_where_it_belongs_and_the_original_stays() -> None:
    before = a_survey()
    unchanged = copy.deepcopy(before)
    after = surveys.changed(before, ("texts", "de", "thanks", "promoter"), "Danke!")
    assert survey_texts.text_at(after, ("texts", "de", "thanks", "promoter")) == "Danke!"
    assert survey_texts.text_at(before, ("texts", "de", "thanks", "promoter")) == ""
    assert before == unchanged


@pytest.mark.parametrize(
    ("position", "steps", "order"),
    [
        pytest.param(0, 1, ["rivals", "support"], id="later"),
        pytest.param(1, -1, ["rivals", "support"], id="earlier"),
        pytest.param(0, -1, ["support", "rivals"], id="the first has nowhere earlier to go"),
        pytest.param(1, 1, ["support", "rivals"], id="the last has nowhere later to go"),
    ],
)
def test_questions_change_places(position: int, steps: int, order: list[str]) -> None:
    before = a_survey()
    assert ids(surveys.moved(before, position, steps)) == order
    assert ids(before) == ["support", "rivals"]


def test_a_question_goes_with_its_texts_in_every_language() -> None:
    after = surveys.without_question(a_survey(), 0)
    assert ids(after) == ["rivals"]
    assert after["texts"]["de"]["questions"] == {}
    assert after["texts"]["en"]["questions"] == {}


def test_a_rating_gets_an_attribute_and_an_id_of_its_own() -> None:
    after = surveys.with_question(a_survey(), "rating", "How is our support?", "Support")
    assert after["questions"][-1] == {
        "question_id": "support_2",
        "type": "rating",
        "attribute": "support",
        "options": [],
        "several": False,
    }
    assert survey_texts.text_at(after, ("texts", "en", "questions", "support_2", "text")) == "How is our support?"
    assert "support_2" not in after["texts"]["de"]["questions"]


def test_a_choice_of_several_has_options_with_codes_that_differ() -> None:
    after = surveys.with_question(a_survey(), "several", "Why us?", "", ["Price", " ", "Élan", "price"])
    made = after["questions"][-1]
    assert (made["question_id"], made["type"], made["several"]) == ("why_us", "choice", True)
    assert made["options"] == ["price", "elan", "price_2"]
    labels = after["texts"]["en"]["questions"]["why_us"]["options"]
    assert labels == {"price": "Price", "elan": "Élan", "price_2": "price"}


def test_a_ready_question_is_worded_in_the_languages_of_the_survey() -> None:
    ready = {"question_id": "rivals", "type": "choice", "options": ["better"]}
    after = surveys.with_ready_question(a_survey(), ready, {"en": {"text": "Compared?"}, "fr": {"text": "Comparé ?"}})
    assert ids(after) == ["support", "rivals", "rivals_2"]
    assert after["texts"]["en"]["questions"]["rivals_2"] == {"text": "Compared?"}
    assert "fr" not in after["texts"]


def test_a_language_comes_and_goes_but_never_the_default() -> None:
    more = surveys.with_language(a_survey(), "fr", {"call": "Appeler ?"})
    assert survey_texts.languages(more) == ["en", "de", "fr"]
    assert surveys.with_language(more, "fr") == more
    assert survey_texts.languages(surveys.without_language(more, "de")) == ["en", "fr"]
    assert survey_texts.languages(surveys.without_language(more, "en")) == ["en", "de", "fr"]


def test_all_texts_are_offered_in_the_order_of_reading() -> None:
    titles = [group.title for group in survey_texts.groups(a_survey())]
    assert titles == [
        "The score",
        "Why",
        "2. A rating from 1 to 5: support",
        "3. One of several",
        "The last page",
        "Buttons",
        "The translation",
        "Where a value is missing",
    ]
    lines = {line.path: line.label for group in survey_texts.groups(a_survey()) for line in group.lines}
    assert lines["questions", "rivals", "options", "better"] == "Option “better”"
    assert lines["reasons", "passive"] == "● Passives (7 to 8)"
    assert ("reasons", "neutral") in {
        line.path for group in survey_texts.groups(a_survey() | {"metric": "csat"}) for line in group.lines
    }


@pytest.mark.parametrize(
    ("field", "words"),
    [
        pytest.param("texts.de.score.low", "German, the score: beside the lowest number", id="a text"),
        pytest.param("texts.de", "German", id="a language"),
        pytest.param("texts.de.mail.subject", "German: mail subject", id="a text that no page edits"),
        pytest.param("questions.0.attribute", "Question 2", id="a question"),
        pytest.param("legal.imprint_url", "Who asks: imprint url", id="who asks"),
        pytest.param("ratings_asked", "Ratings asked", id="a setting"),
    ],
)
def test_a_remark_says_where_it_belongs(field: str, words: str) -> None:
    assert survey_texts.place(a_survey(), field) == words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("Ease of doing business?", "ease_of_doing_business", id="words"),
        pytest.param("Größe", "groe", id="what has no letter in ASCII falls away"),
        pytest.param("問題", "question", id="nothing is left"),
        pytest.param("x" * 90, "x" * 40, id="long"),
    ],
)
def test_codes_are_made_of_texts(text: str, code: str) -> None:
    assert surveys.slug(text) == code


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(found.place, found.before, found.after) for found in survey_texts.differences(old, new)]


def test_nothing_differs_from_itself() -> None:
    assert changes(a_survey(), a_survey()) == []


def test_a_changed_text_is_told_with_both_wordings() -> None:
    after = surveys.changed(a_survey(), ("texts", "de", "score", "text"), "Wie sehr …?")
    assert changes(a_survey(), after) == [
        ("German, the score: the question with the score", "Wie wahrscheinlich …?", "Wie sehr …?")
    ]


def test_questions_that_come_and_go_are_told_once_and_not_text_by_text() -> None:
    after = surveys.with_question(surveys.without_question(a_survey(), 0), "text", "What else?", "")
    assert changes(a_survey(), after) == [
        ("A question goes", "Our support?", ""),
        ("A question comes", "", "What else?"),
    ]


def test_another_order_and_another_language_are_told() -> None:
    after = surveys.with_language(surveys.moved(a_survey(), 0, 1), "fr")
    assert changes(a_survey(), after) == [
        ("The order of the questions", "", "is another"),
        ("French", "", "a language of the survey"),
    ]
    assert changes(after, surveys.moved(a_survey(), 0, 1)) == [("French", "a language of the survey", "")]


def test_a_new_language_begins_with_what_a_fitting_template_says() -> None:
    words: dict[str, Any] = {
        "call": "Appeler ?",
        "questions": {"support": {"text": "L’aide ?"}, "price": {"text": "Le prix ?"}},
    }
    fitting = a_survey() | {"texts": {"fr": words | {"reviewed_by": "Ann"}}}
    project = a_survey() | {"nps_kind": "project", "texts": {"fr": {"call": "Projet"}, "es": {"call": "¿Llamar?"}}}
    ces = a_survey() | {"metric": "ces", "texts": {"pl": {"call": "Zadzwonić?"}}}
    templates = [project, ces, fitting]
    assert surveys.ready_texts(a_survey(), "fr", templates) == {
        "call": "Appeler ?",
        "questions": {"support": {"text": "L’aide ?"}},
        "reviewed_by": None,
    }
    assert surveys.ready_texts(a_survey(), "es", templates)["call"] == "¿Llamar?"
    assert surveys.ready_texts(a_survey(), "pl", templates) == {}
    assert words["questions"].keys() == {"support", "price"}, "the template stays as it was"
