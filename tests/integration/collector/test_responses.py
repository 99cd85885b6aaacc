"""Posting, amending and withdrawing responses, on real Kafka."""

import json
from typing import Any
from uuid import UUID

import pytest

from shared.events.responses import ResponseAmended, ResponseRecorded, ResponseWithdrawn
from shared.topics import RESPONSES
from tests.integration.collector.conftest import NOW, Running
from tests.support.http import api_key, bearer

RESPONSE: dict[str, Any] = {"account_id": "acme", "email": "Ann@Acme.example", "survey_type": "nps", "score": 9}


async def test_an_accepted_response_is_on_the_topic(collector: Running) -> None:
    answer = await collector.client.post("/v1/responses", json=RESPONSE | {"response_id": "r1", "comment": " fine "})
    assert answer.status_code == 202
    body = answer.json()
    assert body == {
        "response_id": "r1",
        "event_id": body["event_id"],
        "recorded_at": "2026-06-01T12:00:00Z",
        "status": "accepted",
        "via": "kafka",
    }
    (event,) = await collector.events(RESPONSES, 1)
    assert (str(event.id), event.name, event.time, event.account_id) == (
        body["event_id"],
        "response.recorded",
        NOW,
        "acme",
    )
    assert isinstance(event.data, ResponseRecorded)
    assert (event.data.response_id, event.data.stakeholder_id, event.data.comment) == ("r1", "ann@acme.example", "fine")
    assert set(event.data.sent) == {"account_id", "email", "survey_type", "score", "comment"}
    assert not event.data.quiet


async def test_amendment_and_withdrawal_follow_in_the_same_partition(collector: Running) -> None:
    client = collector.client
    await client.post("/v1/responses", json=RESPONSE | {"response_id": "r1"})
    amended = await client.patch("/v1/responses/r1", json={"account_id": "acme", "score": 6, "comment": None})
    withdrawn = await client.delete("/v1/responses/r1", params={"account_id": "acme"})
    assert (amended.status_code, withdrawn.status_code) == (202, 202)
    assert amended.json()["response_id"] == withdrawn.json()["response_id"] == "r1"
    _, amendment, withdrawal = await collector.events(RESPONSES, 3)
    assert isinstance(amendment.data, ResponseAmended)
    assert amendment.data.changes == {"score": 6, "comment": None}
    assert str(amendment.data.event_id) == str(amendment.id) == amended.json()["event_id"]
    assert isinstance(withdrawal.data, ResponseWithdrawn)
    assert (withdrawal.data.response_id, withdrawal.data.account_id) == ("r1", "acme")


async def test_whatever_is_sent_again_with_its_idempotency_key_is_the_same(shared_collector: Running) -> None:
    client = shared_collector.client
    other = bearer(await api_key(shared_collector.environment, ["ingest"]))

    async def post(key: str, **more: Any) -> str:
        answer = await client.post("/v1/responses", json=RESPONSE, headers={"Idempotency-Key": key} | more)
        return str(answer.json()["response_id"])

    first = await post("k1")
    assert UUID(first).version == 5
    assert await post("k1") == first
    assert await post("k2") != first
    assert await post("k1", **other) != first
    calls: list[dict[str, Any]] = [
        {"method": "PATCH", "json": {"account_id": "acme", "score": 3}},
        {"method": "DELETE", "params": {"account_id": "acme"}},
    ]
    for call in calls:
        answers = [
            await client.request(url="/v1/responses/r1", headers={"Idempotency-Key": key}, **call)
            for key in ("k", "k", "k3")
        ]
        ids = [answer.json()["event_id"] for answer in answers]
        assert ids[0] == ids[1] != ids[2]


async def test_an_id_of_the_client_goes_before_the_idempotency_key(shared_collector: Running) -> None:
    answer = await shared_collector.client.post(
        "/v1/responses", json=RESPONSE | {"response_id": "mine"}, headers={"Idempotency-Key": "k"}
    )
    assert answer.json()["response_id"] == "mine"


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_an_idempotency_key_has_1_to_200_characters(shared_collector: Running, key: str) -> None:
    answer = await shared_collector.client.post("/v1/responses", json=RESPONSE, headers={"Idempotency-Key": key})
    assert answer.status_code == 422


async def test_a_batch_of_1000_with_3_bad_takes_997(collector: Running) -> None:
    responses = [RESPONSE | {"response_id": f"r{number}", "account_id": f"a{number % 50}"} for number in range(1000)]
    responses[10]["score"] = 11
    responses[20]["mood"] = "fine"
    del responses[30]["account_id"]
    answer = await collector.client.post("/v1/responses/batch", json={"responses": responses})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["rejected"], body["unavailable"]) == (997, 3, 0)
    refused = {result["index"]: result["problem"] for result in body["results"] if result["status"] == "rejected"}
    assert {index: problem["errors"][0] for index, problem in refused.items()} == {
        10: {"field": "score", "code": "out_of_range", "detail": "must be from 0 to 10"},
        20: {"field": "mood", "code": "unknown_field", "detail": "is not a field of this call"},
        30: {"field": "account_id", "code": "missing", "detail": "is required"},
    }
    assert [result["response_id"] for result in body["results"]] == [f"r{number}" for number in range(1000)]
    assert body["results"][11] == {"index": 11, "response_id": "r11", "status": "accepted"}
    events = await collector.events(RESPONSES, 997)
    stored = {event.data.response_id for event in events if isinstance(event.data, ResponseRecorded)}
    assert stored == {f"r{number}" for number in range(1000)} - {"r10", "r20", "r30"}


async def test_a_batch_that_is_sent_again_carries_the_same_ids(shared_collector: Running) -> None:
    body = {"responses": [RESPONSE, RESPONSE, RESPONSE | {"response_id": "mine"}]}
    headers = {"Idempotency-Key": "batch-1"}
    answers = [
        (await shared_collector.client.post("/v1/responses/batch", json=body, headers=headers)).json() for _ in "12"
    ]
    ids = [[result["response_id"] for result in answer["results"]] for answer in answers]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3
    assert ids[0][2] == "mine"


async def test_ndjson_is_a_batch_with_a_line_an_item(collector: Running) -> None:
    lines = [
        json.dumps(RESPONSE | {"response_id": "r1"}),
        "",
        '{"account_id": "acme", ',
        "7",
        json.dumps(RESPONSE | {"response_id": "r2", "comment": "\ud800"}),
        json.dumps(RESPONSE | {"response_id": "r3"}),
    ]
    answer = await collector.client.post(
        "/v1/responses/batch", content="\n".join(lines), headers={"content-type": "application/x-ndjson"}
    )
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (2, 3)
    assert [(result["status"], result.get("problem", {}).get("code")) for result in body["results"]] == [
        ("accepted", None),
        ("rejected", "malformed_json"),
        ("rejected", "invalid_request"),
        ("rejected", "lone_surrogate"),
        ("accepted", None),
    ]
    await collector.events(RESPONSES, 2)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"responses": {}}, "responses", "invalid_type"),
        ({"answers": []}, "answers", "unknown_field"),
        ({}, "responses", "missing"),
        ([], "body", "invalid_type"),
        ({"responses": [{}] * 1001}, "responses", "too_many_items"),
    ],
)
async def test_a_batch_of_another_form_is_refused_as_a_whole(
    shared_collector: Running, body: Any, field: str, code: str
) -> None:
    answer = await shared_collector.client.post("/v1/responses/batch", json=body)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


async def test_an_event_over_64_kb_is_refused_alone(collector: Running) -> None:
    # Each field is within its limit, but not all together.
    attributes = {f"a{number}": "ü" * 1_000 for number in range(50)}
    large = RESPONSE | {"response_id": "large", "attributes": attributes}
    answer = await collector.client.post("/v1/responses/batch", json={"responses": [large, RESPONSE]})
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (1, 1)
    assert (body["results"][0]["problem"]["status"], body["results"][0]["problem"]["code"]) == (413, "event_too_large")
    await collector.events(RESPONSES, 1)


async def test_taking_in_needs_the_scope_ingest(shared_collector: Running) -> None:
    headers = bearer(await api_key(shared_collector.environment, ["read", "act", "erase"]))
    client = shared_collector.client
    calls = [
        client.post("/v1/responses", json=RESPONSE, headers=headers),
        client.post("/v1/responses/batch", json={"responses": [RESPONSE]}, headers=headers),
        client.patch("/v1/responses/r1", json={"account_id": "acme", "score": 1}, headers=headers),
        client.delete("/v1/responses/r1", params={"account_id": "acme"}, headers=headers),
        client.put("/v1/accounts/acme", json={}, headers=headers),
        client.post("/v1/directory/batch", json={"accounts": []}, headers=headers),
        client.post("/v1/invitation-events", json={"events": []}, headers=headers),
        client.post("/v1/context-events", json={}, headers=headers),
        client.post("/v1/imports", data={"kind": "accounts"}, files={"file": b"x"}, headers=headers),
    ]
    for call in calls:
        answer = await call
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
