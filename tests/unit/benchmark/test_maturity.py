"""What the answers of a self-assessment come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.benchmark.domain.maturity import BEST, assess, shown
from services.benchmark.domain.maturity_questions import AREAS, COVERAGE, FIRST_TOUCH, LOOP, MEASURES, QUESTIONS

answers = st.dictionaries(st.sampled_from(sorted(QUESTIONS)), st.integers(0, BEST))


def test_the_questions_are_over_the_ten_recommendations_and_speed() -> None:
    assert len(AREAS) == 11
    assert AREAS[-1].area == "speed"
    assert len(QUESTIONS) == sum(len(area.questions) for area in AREAS)
    assert {question.measure for question in QUESTIONS.values() if question.measure} == set(MEASURES)


@given(answers)
def test_a_score_is_the_mean_of_what_was_answered(given: dict[str, int]) -> None:
    result = assess(given, {})
    expected = []
    for area, found in zip(AREAS, result["areas"], strict=True):
        options = [given[question.question_id] for question in area.questions if question.question_id in given]
        assert found["score"] == (pytest.approx(100 * sum(options) / 3 / len(options)) if options else None)
        expected += [found["score"]] if options else []
    assert result["score"] == (pytest.approx(sum(expected) / len(expected)) if expected else None)
    assert set(result["unanswered"]) == QUESTIONS.keys() - given.keys()


@given(answers)
def test_every_answer_that_can_be_better_has_advice_the_weakest_area_first(given: dict[str, int]) -> None:
    result = assess(given, {})
    steps = result["recommendations"]
    assert {step["question_id"] for step in steps} == {name for name, option in given.items() if option < BEST}
    scores = {area["area"]: area["score"] for area in result["areas"]}
    assert [scores[step["area"]] for step in steps] == sorted(scores[step["area"]] for step in steps)
    for step in steps:
        question = QUESTIONS[step["question_id"]]
        assert step["text"] == (question.finish if given[step["question_id"]] == 2 else question.begin)


def test_what_is_measured_answers_what_nobody_answered() -> None:
    result = assess({"own_look": 3}, {COVERAGE.name: 0.95, LOOP.name: 0.1, FIRST_TOUCH.name: 30.0})
    found = {answer["question_id"]: answer for area in result["areas"] for answer in area["answers"]}
    assert (found["coverage"]["option"], found["coverage"]["source"]) == (3, "measured")
    assert (found["loop"]["option"], found["first_touch"]["option"]) == (0, 1)
    assert found["response"] == {"question_id": "response", "option": None, "source": None, "measured": None}
    assert next(step for step in result["recommendations"] if step["question_id"] == "loop")["because"].endswith(
        "10 %)"
    )


def test_an_answer_better_than_the_figure_is_said_to_be_so() -> None:
    assert assess({"loop": 3}, {LOOP.name: 0.5})["warnings"] == ["better_than_measured:loop"]
    assert assess({"loop": 1}, {LOOP.name: 0.5})["warnings"] == []


def test_the_best_answers_leave_nothing_to_do() -> None:
    result = assess(dict.fromkeys(QUESTIONS, BEST), {})
    assert (result["score"], result["level"], result["recommendations"]) == (100, "leading", [])


def test_without_any_answer_there_is_no_score() -> None:
    result = assess({}, {})
    assert (result["score"], result["level"], len(result["unanswered"])) == (None, None, len(QUESTIONS))


@pytest.mark.parametrize(("score", "level"), [(0, "starting"), (1, "developing"), (2, "established"), (3, "leading")])
def test_a_score_has_a_name(score: int, level: str) -> None:
    assert assess({"loop": score}, {})["level"] == level


@pytest.mark.parametrize(("value", "option"), [(73, 0), (72, 1), (24, 2), (8, 3), (0, 3)])
def test_less_time_is_better(value: float, option: int) -> None:
    assert FIRST_TOUCH.option(value) == option


def test_figures_are_shown_with_their_unit() -> None:
    assert (shown(0.426, "share"), shown(30.4, "hours")) == ("43 %", "30 hours")
