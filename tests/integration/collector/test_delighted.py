"""Delighted's API: the body, the key as the user name of Basic, the answer."""

import base64
import json
from typing import Any

import pytest

from shared.events.responses import ResponseRecorded
from shared.topics import RESPONSES
from tests.integration.collector.conftest import NOW, Running
from tests.support.http import api_key
from tests.support.problems import assert_problem, field_codes

PATH = "/v1/survey_responses.json"


async def test_the_request_of_delighteds_own_client_for_python_is_taken(collector: Running) -> None:
    """`delighted.SurveyResponse.create` of version 4.2.0, header by header."""
    key = await api_key(collector.environment, ["ingest"])
    answer = await collector.client.post(
        "/v1/survey_responses",
        content=json.dumps({"person": "ann@acme.example", "score": 9, "comment": "On time"}),
        headers={
            "Accept": "application/json",
            "Authorization": f"Basic {base64.b64encode(key.encode()).decode()}",
            "User-Agent": "Delighted Python 4.2.0",
            "Content-Type": "application/json",
        },
    )
    assert answer.status_code == 201, answer.text
    assert {"id", "person", "score"} <= answer.json().keys()
    [event] = await collector.events(RESPONSES, 1)
    assert isinstance(event.data, ResponseRecorded)
    assert (event.data.account_id, event.data.score) == ("acme.example", 9)


async def taken(collector: Running, body: dict[str, Any]) -> ResponseRecorded:
    answer = await collector.client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    [event] = await collector.events(RESPONSES, 1)
    assert isinstance(event.data, ResponseRecorded)
    return event.data


async def test_a_response_is_taken_and_shown_in_the_same_shape(collector: Running) -> None:
    body = {
        "person": "Ann@acme.example",
        "score": 9,
        "comment": "Always on time.",
        "person_properties": {"account_id": "acme", "location": "Leeds"},
        "created_at": 1_713_497_396,
    }
    answer = (await collector.client.post(PATH, json=body)).json()
    assert answer == {
        "id": answer["id"],
        "person": "ann@acme.example",
        "survey_type": "nps",
        "score": 9,
        "comment": "Always on time.",
        "permalink": f"/v1/responses/{answer['id']}",
        "created_at": 1_713_497_396,
        "updated_at": int(NOW.timestamp()),
        "person_properties": body["person_properties"],
        "notes": [],
        "tags": [],
        "additional_answers": [],
    }
    [event] = await collector.events(RESPONSES, 1)
    assert isinstance(event.data, ResponseRecorded)
    assert (event.data.account_id, event.data.stakeholder_id) == ("acme", "ann@acme.example")
    assert event.data.attributes == {"location": "Leeds"}


@pytest.mark.parametrize(
    ("body", "account", "person"),
    [
        ({"person": 1, "person_properties": {"account_id": "a", "company": "b"}}, "a", "1"),
        ({"person": "7", "person_properties": {"company": "b"}}, "b", "7"),
        ({"person": {"email": "Ann@Acme.example"}}, "acme.example", "ann@acme.example"),
        ({"person": {"id": "7", "email": "ann@acme.example"}}, "acme.example", "7"),
    ],
)
async def test_who_and_whose(collector: Running, body: dict[str, Any], account: str, person: str) -> None:
    data = await taken(collector, {"score": 3} | body)
    assert (data.account_id, data.stakeholder_id, data.answered_at) == (account, person, NOW)


async def test_the_key_may_be_the_user_name_of_basic(collector: Running) -> None:
    token = await api_key(collector.environment, ("ingest",))
    del collector.client.headers["authorization"]
    answer = await collector.client.post(PATH, json={"person": "ann@acme.example", "score": 9}, auth=(token, ""))
    assert answer.status_code == 201
    refused = await collector.client.post(PATH, json={"person": "ann@acme.example", "score": 9}, auth=("wrong", ""))
    assert_problem(refused, 401, "unauthorized")


async def test_the_same_idempotency_key_is_the_same_response(collector: Running) -> None:
    body = {"person": "ann@acme.example", "score": 9}
    ids = {
        (await collector.client.post(PATH, json=body, headers={"idempotency-key": "one"})).json()["id"]
        for _ in range(2)
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"person": "7", "score": 9}, "person_properties.account_id"),
        ({"person": "ann@acme.example", "score": 11}, "score"),
        ({"person": "ann@acme.example", "score": "9"}, "score"),
        ({"person": {}, "score": 9, "person_properties": {"company": "b"}}, "stakeholder_id"),
        ({"score": 9}, "person"),
        ({"person": "ann@acme.example", "score": 9, "created_at": "2026-01-01"}, "created_at"),
        ({"person": "ann@acme.example", "score": 9, "created_at": 5}, "answered_at"),
    ],
)
async def test_what_is_wrong_is_named(shared_collector: Running, body: dict[str, Any], field: str) -> None:
    problem = assert_problem(await shared_collector.client.post(PATH, json=body), 422, "invalid_request")
    assert field in field_codes(problem)
