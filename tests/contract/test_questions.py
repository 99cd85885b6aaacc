"""What our own callers ask of a service is there, and is answered with the model that they read."""

import re
from functools import cache
from typing import Any

import pytest

from shared.api import questions
from shared.http.client import Question
from tools.reference.api import openapi

QUESTIONS = {name: found for name, found in vars(questions).items() if isinstance(found, Question)}
described = cache(openapi)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_a_call_that_answers_with_its_model(name: str) -> None:
    question: Question[Any] = QUESTIONS[name]
    document = described(question.service)
    call = document["paths"][question.path]["get"]
    schema = call["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert schema == re.sub(r"\W", "_", question.answer.__name__)
    told = document["components"]["schemas"][schema]["properties"]
    assert list(told) == list(question.answer.model_json_schema(mode="serialization")["properties"])
