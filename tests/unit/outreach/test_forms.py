"""What the page's form posted is read strictly, and what is left empty keeps what was said before."""

import unicodedata
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.answering import Answers, Value
from services.outreach.domain.forms import MAX_FIELDS, MAX_TEXT, clean, read_form, score_in
from services.outreach.domain.problems import Faulty
from services.outreach.domain.surveys import METRICS, Metric
from shared.amendments import SCALES
from tests.unit.outreach.builders import CES, ONE_OF, SEVERAL, WORDS, rating, relationship

SURVEY = relationship(questions=(rating("trust"), SEVERAL, ONE_OF, WORDS, CES))
BEFORE = Answers(
    8, "en", "Slow.", "passive", {"trust": 3, "choosing": ("price",)}, follow_up_requested=True, quote_allowed=False
)
NAMES = st.sampled_from(
    ["score", "comment", "reason", "call", "quote", "finished", "q.trust", "q.choosing", "q.improve_first", "other"]
)


def read(*fields: tuple[str, str], before: Answers | None = None) -> Answers:
    return read_form(SURVEY, fields, "en", before)


def refused(*fields: tuple[str, str], before: Answers | None = BEFORE) -> list[tuple[str, str]]:
    with pytest.raises(Faulty) as caught:
        read(*fields, before=before)
    return [(problem.field, problem.code) for problem in caught.value.problems]


@pytest.mark.parametrize("metric", METRICS)
@given(number=st.integers(-20, 200))
def test_only_integers_of_the_scale_are_a_score(metric: Metric, number: int) -> None:
    low, high = SCALES[metric]
    expected = None
    if low <= number <= high:
        expected = number
    assert score_in(metric, str(number)) == expected


@pytest.mark.parametrize(
    "text", ["", " 9", "9 ", "09", "+9", "9.0", "9e0", "\u0669", "\uff19", "nine", "1_0", "-0", "100"]
)
def test_nothing_else_is_a_score(text: str) -> None:
    assert score_in("nps", text) is None


def test_the_score_alone_is_enough() -> None:
    assert read(("score", "9")) == Answers(9, "en")


def test_all_fields_are_read() -> None:
    answers = read(
        *(("score", "9"), ("comment", " Fast. "), ("reason", "promoter"), ("q.trust", "5"), ("q.ease", "7")),
        *(("q.choosing", "price"), ("q.choosing", "people"), ("q.choosing", "price"), ("q.competitors", "same")),
        *(
            ("q.improve_first", "Nothing"),
            ("call", "yes"),
            ("quote", "yes"),
            ("referral", "yes"),
            ("finished", "1"),
            ("utm", "x"),
        ),
    )
    values: dict[str, Value] = {
        "trust": 5,
        "choosing": ("price", "people"),
        "competitors": "same",
        "improve_first": "Nothing",
        "ease": 7,
    }
    assert answers == Answers(9, "en", "Fast.", "promoter", values, True, True, True, finished=True)


def test_what_is_left_empty_stays_as_it_was() -> None:
    assert read(("comment", "  "), ("q.trust", ""), ("call", ""), before=BEFORE) == BEFORE
    assert read(before=BEFORE) == BEFORE


def test_a_comment_is_taken_back_with_the_question_it_answered() -> None:
    answers = read(("comment", " "), ("no_comment", "yes"), before=BEFORE)
    assert (answers.comment, answers.reason_question) == (None, None)
    assert (answers.score, answers.values) == (BEFORE.score, BEFORE.values)


def test_what_is_written_beside_the_box_is_a_comment_all_the_same() -> None:
    assert read(("comment", "Faster now."), ("no_comment", "yes"), before=BEFORE).comment == "Faster now."


def test_what_is_given_replaces_what_was_said() -> None:
    answers = read(("score", "3"), ("q.choosing", "quality"), ("call", "no"), before=BEFORE)
    assert answers.score == 3
    assert answers.comment == "Slow."
    assert answers.values == {"trust": 3, "choosing": ("quality",)}
    assert answers.follow_up_requested is False


def test_which_wording_was_shown_goes_with_the_comment() -> None:
    """The score may change afterwards; the comment still answers the question that was asked."""
    answers = read(("score", "3"), ("reason", "detractor"), before=BEFORE)
    assert answers.reason_question == "passive"
    answers = read(("comment", "Late."), ("reason", "detractor"), before=answers)
    assert answers.reason_question == "detractor"
    assert read(("comment", "Late."), ("reason", "satisfied"), before=answers).reason_question is None


def test_the_language_is_that_of_the_page() -> None:
    assert read_form(SURVEY, [("score", "9")], "de", BEFORE).language == "de"


def test_finished_stays_finished() -> None:
    done = replace(BEFORE, finished=True)
    assert read(("score", "9"), before=done).finished


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ([("score", "11")], [("score", "not_on_scale")]),
        ([("score", "9.5")], [("score", "not_on_scale")]),
        ([("q.trust", "0")], [("q.trust", "not_on_scale")]),
        ([("q.trust", "6")], [("q.trust", "not_on_scale")]),
        ([("q.competitors", "<b>")], [("q.competitors", "not_an_option")]),
        ([("q.choosing", "price"), ("q.choosing", "style")], [("q.choosing", "not_an_option")]),
        ([("comment", "x" * (MAX_TEXT + 1))], [("comment", "too_long")]),
        ([("q.improve_first", "x" * (MAX_TEXT + 1))], [("q.improve_first", "too_long")]),
        ([("x", "1")] * (MAX_FIELDS + 1), [("", "too_many_fields")]),
        ([("score", "x"), ("q.trust", "x")], [("score", "not_on_scale"), ("q.trust", "not_on_scale")]),
    ],
)
def test_what_cannot_be_read_is_named_by_its_field(
    fields: list[tuple[str, str]], problems: list[tuple[str, str]]
) -> None:
    assert refused(*fields) == problems


def test_the_first_form_needs_a_score() -> None:
    assert refused(("comment", "Hello"), before=None) == [("score", "score_missing")]


def test_the_longest_comment_is_taken() -> None:
    assert read(("score", "9"), ("comment", "x" * MAX_TEXT)).comment == "x" * MAX_TEXT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" a\r\nb\rc ", "a\nb\nc"),
        ("Zoe\u0308", "Zoë"),
        ("good \u202edab ton", "good dab ton"),
        ("a\u2066b\u2069\u200fc\u061c", "abc"),
        ("a\x00b\x07c\td", "abc\td"),
        ("a\ud800b", "ab"),
        ("‘quoted’ – 9 €", "‘quoted’ – 9 €"),
        ("\u202e \n", ""),
    ],
)
def test_texts_are_cleaned_of_what_nobody_sees(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(text=st.text())
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once.encode().decode() == once


@given(fields=st.lists(st.tuples(NAMES, st.text(max_size=20)), max_size=25))
def test_whatever_is_posted_is_read_or_refused(fields: list[tuple[str, str]]) -> None:
    answers = None
    with suppress(Faulty):
        answers = read_form(SURVEY, fields, "en")
    assert answers is None or read_form(SURVEY, [], "en", answers) == answers
