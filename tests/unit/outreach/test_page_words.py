"""The fixed words of the pages, and which language and direction they have."""

from datetime import date

import pytest

from services.outreach.domain.forms import read_form
from services.outreach.domain.languages import COMPLETE, DRAFTED, direction, is_language, page_language
from services.outreach.domain.page_words import page_words
from services.outreach.domain.placeholders import used
from services.outreach.domain.problems import Faulty
from services.outreach.domain.shipped import shipped
from tests.unit.outreach.builders import ONE_OF, WORDS, relationship

STATES = ("expired", "withdrawn", "unknown", "closed", "unavailable", "too_many")
BAD_FORMS: tuple[list[tuple[str, str]], ...] = (
    [],
    [("score", "11")],
    [("score", "9"), ("q.competitors", "x")],
    [("score", "9"), ("q.improve_first", "x" * 20_000)],
    [("x", "")] * 30,
)


@pytest.mark.parametrize(
    ("language", "words", "way"),
    [("de", "de", "ltr"), ("de-AT", "de", "ltr"), ("it", "en", "ltr"), ("ar", "en", "rtl"), ("pt-BR", "en", "ltr")],
)
def test_a_page_without_words_of_its_own_says_them_in_english(language: str, words: str, way: str) -> None:
    assert page_language(language) == words
    assert page_words(language).language == words
    assert page_words(language).direction == "ltr"
    assert direction(language) == way


@pytest.mark.parametrize(
    ("language", "label", "day"),
    [
        ("en", "9, of 0 to 10", "3 March 2027"),
        ("de", "9, auf einer Skala von 0 bis 10", "3. März 2027"),
        ("fr", "9, sur une échelle de 0 à 10", "3 mars 2027"),
        ("es", "9, en una escala de 0 a 10", "3 de marzo de 2027"),
    ],
)
def test_numbers_and_days_are_said_in_the_language(language: str, label: str, day: str) -> None:
    words = page_words(language)
    assert words.say("of_scale", value="9", low="0", high="10") == label
    assert words.day(date(2027, 3, 3)) == day
    assert day in words.say("change_until", date=day)


@pytest.mark.parametrize("language", COMPLETE)
def test_every_state_has_a_title_and_a_sentence(language: str) -> None:
    words = page_words(language)
    for state in STATES:
        assert words.say(f"{state}_title")
        assert words.say(f"{state}_text")


@pytest.mark.parametrize("language", COMPLETE)
@pytest.mark.parametrize("fields", BAD_FORMS)
def test_every_problem_of_a_form_is_said_in_every_language(language: str, fields: list[tuple[str, str]]) -> None:
    with pytest.raises(Faulty) as caught:
        read_form(relationship(questions=(ONE_OF, WORDS)), fields, language)
    for problem in caught.value.problems:
        assert page_words(language).problem(problem.code)


@pytest.mark.parametrize("language", COMPLETE)
def test_words_have_the_same_values_in_every_language(language: str) -> None:
    english, page = shipped("en")["page"], shipped(language)["page"]
    assert len(set(page["months"])) == 12
    for name, text in page.items():
        if name != "months":
            assert used(text) == used(english[name])


def test_a_page_that_names_no_address_says_the_same_to_everybody() -> None:
    """Nobody learns by an unknown link whether there is such a person."""
    assert used(page_words("en").say("unknown_text")) == frozenset()


@pytest.mark.parametrize(("language", "every"), [("en", "all"), ("de", "Alle"), ("fr", "aucun"), ("es", "todos")])
def test_the_link_that_stops_all_mails_says_that_it_stops_all(language: str, every: str) -> None:
    assert every in page_words(language).say("stop_all").split()


@pytest.mark.parametrize("text", [*COMPLETE, *DRAFTED, "zh-Hant", "de-AT"])
def test_tags_of_languages(text: str) -> None:
    assert is_language(text)


@pytest.mark.parametrize("text", ["", "d", "DE", "de_AT", "german", "de-at", "de-AT-x", "de\n"])
def test_what_is_no_tag_of_a_language(text: str) -> None:
    assert not is_language(text)


def test_there_is_no_word_of_another_name() -> None:
    with pytest.raises(KeyError):
        page_words("en").say("nothing")
