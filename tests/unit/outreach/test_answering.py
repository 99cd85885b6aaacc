"""Answers become bodies that the collector takes; what comes next depends on what is known and what was said."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.handlers.inputs.responses import Amendment, NewResponse
from services.outreach.domain.answering import (
    Answers,
    Step,
    amendment_body,
    answers_document,
    answers_from,
    further_questions,
    open_questions,
    response_body,
    step_after,
)
from services.outreach.domain.surveys import Question, Survey
from services.outreach.domain.templates import TEMPLATES, preset_survey, presets, template_survey
from tests.unit.outreach.builders import CES, CSAT, NOW, ONE_OF, SEVERAL, WORDS, asked, rating, relationship

MIXED = relationship(questions=(rating("trust"), rating("value"), SEVERAL, ONE_OF, WORDS, CSAT, CES))
SURVEYS = [
    MIXED,
    *(template_survey(template.template) for template in TEMPLATES),
    *(preset_survey(preset.preset_id) for preset in presets()),
]
WHOLE = Answers(
    score=9,
    language="de",
    comment="Pünktlich.",
    reason_question="promoter",
    values={
        "trust": 5,
        "choosing": ("price", "people"),
        "competitors": "better",
        "improve_first": "Mehr davon.",
        "satisfaction": 4,
        "ease": 7,
    },
    follow_up_requested=True,
    quote_allowed=True,
    finished=True,
)


def values_of(question: Question) -> st.SearchStrategy[Any]:
    """Every value that the page can bring for a question."""
    if question.scale is not None:
        return st.integers(*question.scale)
    if question.type == "text":
        return st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
    if question.several:
        chosen = st.lists(st.sampled_from(question.options), min_size=1, unique=True)
        return chosen.map(tuple)
    return st.sampled_from(question.options)


@st.composite
def answered(draw: st.DrawFn) -> tuple[Survey, Answers]:
    survey = draw(st.sampled_from(SURVEYS))
    every = {question.question_id: values_of(question) for question in survey.questions}
    values = draw(st.fixed_dictionaries({}, optional=every))
    answers = Answers(
        score=draw(st.integers(*survey.scale)),
        language=draw(st.sampled_from(("en", "pt-BR"))),
        comment=draw(st.none() | st.just("Late twice.")),
        reason_question=draw(st.none() | st.sampled_from(survey.categories)),
        values=values,
        follow_up_requested=draw(st.none() | st.booleans()),
        quote_allowed=draw(st.none() | st.booleans()),
        finished=draw(st.booleans()),
    )
    return survey, answers


@given(case=answered(), of_the_occasion=st.booleans())
def test_the_collector_takes_whatever_a_page_brings(case: tuple[Survey, Answers], of_the_occasion: bool) -> None:
    survey, answers = case
    context = asked(email="ann@acme.example", test=of_the_occasion)
    if of_the_occasion:
        context = replace(context, touchpoint="delivery", product="Express", programme_id="p-1", wave="2026-Q2")
    posted = NewResponse.model_validate(json.loads(json.dumps(response_body(context, survey, answers, NOW))))
    amended = Amendment.model_validate(json.loads(json.dumps(amendment_body(context, survey, answers))))
    assert (posted.score, amended.score) == (answers.score, answers.score)
    assert posted.answered_at == NOW
    assert amended.answers == posted.answers
    assert amended.attributes == posted.attributes


@given(case=answered())
def test_answers_come_back_from_a_table_as_they_were(case: tuple[Survey, Answers]) -> None:
    _, answers = case
    assert answers_from(json.loads(json.dumps(answers_document(answers)))) == answers


def test_a_response_says_who_answered_which_survey() -> None:
    context = asked(survey_version=3, programme_id="p-1", wave="2026-Q2", channel="email")
    body = response_body(context, MIXED, WHOLE, NOW)
    assert body["response_id"] == context.response_id
    assert body["invitation_id"] == context.invitation_id
    assert body["survey_id"] == "relationship"
    assert (body["survey_type"], body["nps_kind"], body["channel"]) == ("nps", "relationship", "email")
    assert body["answered_at"] == "2026-06-09T10:00:00+00:00"
    assert body["language"] == "de"
    assert body["test"] is False
    assert body["attributes"] == {
        "survey_version": 3,
        "programme_id": "p-1",
        "wave": "2026-Q2",
        "reason_question": "promoter",
        "quote_allowed": True,
    }


def test_the_score_alone_is_an_answer() -> None:
    body = response_body(asked(), MIXED, Answers(4, "en"), NOW)
    assert body["score"] == 4
    assert body["answers"] == []
    assert body["follow_up_requested"] is False
    assert "comment" not in body
    assert body["attributes"] == {"survey_version": 3}


def test_c17_each_further_question_is_an_entry_and_each_of_several_choices_one_of_its_own() -> None:
    assert response_body(asked(), MIXED, WHOLE, NOW)["answers"] == [
        {"question_id": "trust", "type": "rating", "attribute": "trust", "value": 5},
        {"question_id": "choosing.price", "type": "choice", "value": "price"},
        {"question_id": "choosing.people", "type": "choice", "value": "people"},
        {"question_id": "competitors", "type": "choice", "value": "better"},
        {"question_id": "improve_first", "type": "text", "value": "Mehr davon."},
        {"question_id": "satisfaction", "type": "csat", "value": 4},
        {"question_id": "ease", "type": "ces", "value": 7},
    ]


def test_an_amendment_has_the_whole_state_also_what_is_empty() -> None:
    body = amendment_body(asked(), MIXED, Answers(4, "en"))
    assert body == {
        "account_id": "acme",
        "stakeholder_id": "ann@acme.example",
        "survey_type": "nps",
        "score": 4,
        "comment": None,
        "answers": [],
        "attributes": {"survey_version": 3},
        "language": "en",
        "follow_up_requested": False,
    }


def test_touchpoint_and_product_are_those_of_the_occasion_else_of_the_survey() -> None:
    survey = relationship(touchpoint="delivery", product="Standard")
    plain = response_body(asked(), survey, WHOLE, NOW)
    assert (plain["touchpoint"], plain["product"]) == ("delivery", "Standard")
    body = response_body(asked(touchpoint="support", product="Express"), survey, WHOLE, NOW)
    assert (body["touchpoint"], body["product"]) == ("support", "Express")


def test_what_the_survey_does_not_ask_is_left_out() -> None:
    answers = replace(WHOLE, values={"gone": 3, "trust": 2})
    assert [entry["question_id"] for entry in response_body(asked(), MIXED, answers, NOW)["answers"]] == ["trust"]


@pytest.mark.parametrize(
    ("knowledge", "chosen"),
    [
        ({}, ["a", "b"]),
        ({"a": 4}, ["b", "c"]),
        ({"a": 4, "b": 4, "c": 4, "d": 3}, ["a", "d"]),
        ({"a": 1, "b": 2, "c": 3, "d": 0}, ["a", "d"]),
    ],
)
def test_the_attributes_that_are_known_least_are_asked(knowledge: dict[str, int], chosen: list[str]) -> None:
    survey = relationship(questions=tuple(rating(attribute) for attribute in "abcd"))
    assert [question.attribute for question in further_questions(survey, knowledge)] == chosen


def test_other_questions_are_asked_of_everybody_in_the_order_of_the_survey() -> None:
    survey = replace(MIXED, ratings_asked=1)
    ids = [question.question_id for question in further_questions(survey, {"trust": 1})]
    assert ids == ["value", "choosing", "competitors", "improve_first", "satisfaction", "ease"]


def test_a_review_asks_for_all_four_ratings() -> None:
    survey = template_survey("review")
    assert further_questions(survey, {"service": 9}) == survey.questions


@pytest.mark.parametrize(
    ("step", "answers", "following"),
    [
        ("score", Answers(9, "en"), "reason"),
        ("score", Answers(9, "en", comment="Good"), "details"),
        ("reason", Answers(9, "en"), "details"),
        ("details", Answers(9, "en"), "thanks"),
        ("thanks", Answers(9, "en"), "thanks"),
        ("score", Answers(9, "en", finished=True), "thanks"),
        ("reason", Answers(9, "en", finished=True), "thanks"),
    ],
)
def test_one_step_follows_the_other_until_that_is_all(step: Step, answers: Answers, following: Step) -> None:
    assert step_after(step, answers) == following


def test_who_comes_back_is_told_what_is_open() -> None:
    shown = further_questions(MIXED, {})
    assert open_questions(MIXED, Answers(9, "en"), shown)[0] == "reason"
    assert open_questions(MIXED, Answers(9, "en"), shown)[-1] == "call"
    assert open_questions(MIXED, WHOLE, shown) == ("value",)
    assert open_questions(MIXED, replace(WHOLE, follow_up_requested=None), ()) == ("call",)
