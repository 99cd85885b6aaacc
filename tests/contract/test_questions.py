"""What our own callers ask of a service, or have it do, is there, and is answered with the model that they read."""

import re
from functools import cache
from typing import Any

import pytest

from shared.api import calls, questions
from shared.http.client import IN_WORDS, Call, Question
from tools.reference.api import openapi

QUESTIONS = {name: found for name, found in vars(questions).items() if isinstance(found, Question)}
CALLS = {name: found for name, found in vars(calls).items() if isinstance(found, Call)}
OF_EVERY_SERVICE = ("/v1/dead-letters", "/v1/conflicts")
described = cache(openapi)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_a_call_that_answers_with_its_model(name: str) -> None:
    asked = QUESTIONS[name]
    services = [asked.service]
    if asked.path.startswith(OF_EVERY_SERVICE):
        services = list(IN_WORDS)
    for service in services:
        assert_answered(asked.to(service), "get")


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_answered_with_its_model(name: str) -> None:
    call = CALLS[name]
    services = [call.service]
    if call.path.startswith(OF_EVERY_SERVICE):
        services = list(IN_WORDS)
    for service in services:
        assert_answered(call.to(service), call.method.lower())


def assert_answered(asked: Question[Any] | Call[Any], method: str) -> None:
    """The service has the route, and its OpenAPI document names the model, or one of several, that is read here."""
    document = described(asked.service)
    responses = document["paths"][asked.path][method]["responses"]
    names = set()
    for status, response in responses.items():
        if status.startswith("2") and "application/json" in response.get("content", {}):
            schema = response["content"]["application/json"]["schema"]
            names |= {option["$ref"].rpartition("/")[2] for option in schema.get("anyOf", [schema])}
    if asked.answer is type(None):
        assert not names
        return
    name = re.sub(r"\W", "_", asked.answer.__name__)
    assert name in names
    told = document["components"]["schemas"][name]["properties"]
    assert list(told) == list(asked.answer.model_json_schema(mode="serialization")["properties"])
