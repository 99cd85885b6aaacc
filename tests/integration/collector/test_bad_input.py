"""Malformed input, one by one: a problem with a useful code, no echo, and nothing stored."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from shared.topics import TOPICS
from tests.integration.collector.conftest import Running
from tests.support.http import bearer

GOOD = {"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": 9}
JSON = {"content-type": "application/json"}


def raw(score: str) -> bytes:
    """A response with this raw JSON as its score."""
    return f'{{"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": {score}}}'.encode()


def told(**fields: Any) -> bytes:
    return json.dumps(GOOD | fields).encode()


BODIES = [
    pytest.param(told(comment="\ud800"), 422, "lone_surrogate", id="lone surrogate"),
    pytest.param(told(comment="a\0b"), 422, "nul_character", id="NUL"),
    *(
        pytest.param(raw(score), 422, "invalid_request", id=f"score {score}")
        for score in ("true", '"9"', '"+9"', '" 9 "', '"1_0"', "9.0", "1e1", "9.5", "null", "11", "-1", "[9]", "{}")
    ),
    pytest.param(raw("9" * 5000), 422, "number_out_of_range", id="a score of 5,000 digits"),
    pytest.param(b"[1, 2]", 422, "invalid_request", id="array"),
    pytest.param(b"", 422, "invalid_request", id="empty"),
    pytest.param(b"null", 422, "invalid_request", id="null"),
    pytest.param(b'{"account_id": ', 400, "malformed_json", id="half"),
    pytest.param(b"[" * 30_000 + b"]" * 30_000, 422, "too_deep", id="nested 30,000 deep"),
    pytest.param(raw('9, "attributes": ' + "[" * 20_000 + "]" * 20_000), 422, "too_deep", id="a member 20,000 deep"),
    pytest.param(b'{"a":' * 9_000 + b"1" + b"}" * 9_000, 422, "too_deep", id="objects 9,000 deep"),
    pytest.param(raw('9, "score": 3'), 422, "duplicate_key", id="score twice"),
    pytest.param(told(mood="fine"), 422, "invalid_request", id="unknown field"),
    pytest.param(json.dumps(GOOD).encode("utf-16"), 400, "not_utf8", id="UTF-16"),
    pytest.param(b"\xef\xbb\xbf" + told(), 400, "not_utf8", id="BOM"),
    pytest.param(
        json.dumps(GOOD | {"comment": "é"}, ensure_ascii=False).encode("latin-1"), 400, "not_utf8", id="latin-1"
    ),
    *(
        pytest.param(told(answered_at=value), 422, "invalid_request", id=f"answered_at {value}")
        for value in (
            "2026-05-01T10:00:00",
            "2026-05-01",
            1_777_629_600,
            1_777_629_600_000,
            "2016-12-31T23:59:60Z",
            "2026-05-01T24:00:00Z",
            "1999-12-31T23:59:59Z",
            "2026-06-01T12:05:01Z",
            "9999-12-31T23:59:59Z",
        )
    ),
    pytest.param(raw('9, "attributes": {"a": 1e400}'), 422, "number_out_of_range", id="1e400"),
    pytest.param(raw('9, "attributes": {"a": 1e200000}'), 422, "number_out_of_range", id="1e200000"),
    pytest.param(raw('9, "attributes": {"a": 1e300}'), 422, "invalid_request", id="1e300"),
    pytest.param(raw('9, "attributes": {"a": NaN}'), 422, "number_out_of_range", id="NaN"),
    pytest.param(told(comment="x" * 10_001), 422, "invalid_request", id="a comment over 10,000"),
    *(
        pytest.param(told(account_id=value), 422, "invalid_request", id=f"account_id {value[:8]!r}")
        for value in ("../", "..", "a/b", "a\\b", "a\nb", "", " ", "x" * 300)
    ),
    pytest.param(b'{"comment": "' + b"x" * 70_000 + b'"}', 413, "body_too_large", id="a body over 64 kB"),
]


@pytest.fixture(scope="module", autouse=True)
async def nothing_is_stored(shared_collector: Running) -> Any:
    """After all the tests of this module the topics and the outbox are as empty as before."""
    yield
    for topic in TOPICS:
        assert await shared_collector.present(topic) == []
    async with shared_collector.app.state.plumbing.database.read() as tx:
        rows = "select (select count(*) from outbox) + (select count(*) from accounts)"
        more = " + (select count(*) from stakeholders) + (select count(*) from imports)"
        assert await tx.scalar(rows + more) == 0


@pytest.mark.parametrize(("body", "status", "code"), BODIES)
async def test_a_bad_response_is_refused(shared_collector: Running, body: bytes, status: int, code: str) -> None:
    answer = await shared_collector.client.post("/v1/responses", content=body, headers=JSON)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": ""}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
    ],
)
async def test_another_kind_of_body_is_refused(
    shared_collector: Running, headers: Mapping[str, str], status: int
) -> None:
    for path in ("/v1/responses", "/v1/responses/batch", "/v1/invitation-events", "/v1/context-events"):
        answer = await shared_collector.client.post(path, content=told(), headers=headers)
        assert answer.status_code == status


async def test_a_chunked_body_is_capped_too(shared_collector: Running) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1_000

    for path in ("/v1/responses", "/v1/context-events"):
        answer = await shared_collector.client.post(path, content=endless(), headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_batch_takes_5_mb_and_no_more(shared_collector: Running) -> None:
    content = b'{"responses": ["' + b"x" * 5_300_000 + b'"]}'
    for path in ("/v1/responses/batch", "/v1/directory/batch", "/v1/invitation-events"):
        answer = await shared_collector.client.post(path, content=content, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_nothing_of_the_input_comes_back(shared_collector: Running) -> None:
    secret = "only-ann-knows"
    bodies = [
        told(comment=secret * 1_000),
        told(account_id=f"a/{secret}"),
        told(email=secret),
        told(touchpoint=f"{secret}\n."),
        told(answered_at=secret),
        told(survey_type=secret),
        told(attributes={f"{secret} ": {"x": 1}}),
        told(**{f"<{secret}>": 1}),
        told(answers=[{"question_id": secret, "type": secret, "value": secret}]),
        f'{{"{secret}!": 1, "{secret}!": 2}}'.encode(),
        f"{{{secret}".encode(),
    ]
    for body in bodies:
        answer = await shared_collector.client.post("/v1/responses", content=body, headers=JSON)
        assert answer.status_code in (400, 422)
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ({"method": "PATCH", "url": "/v1/responses/r1", "json": {"account_id": "acme"}}, 422),
        ({"method": "PATCH", "url": "/v1/responses/r1", "json": {"score": 1}}, 422),
        ({"method": "PATCH", "url": "/v1/responses/r1", "json": {"account_id": "acme", "score": None}}, 422),
        ({"method": "PATCH", "url": "/v1/responses/r1", "json": {"account_id": "acme", "survey_type": "ces"}}, 422),
        ({"method": "PATCH", "url": f"/v1/responses/{'x' * 201}", "json": {"account_id": "a", "score": 1}}, 422),
        ({"method": "DELETE", "url": "/v1/responses/r1"}, 422),
        ({"method": "DELETE", "url": "/v1/responses/r1?account_id=a%2Fb"}, 422),
        ({"method": "DELETE", "url": "/v1/responses/r1?account_id=%00"}, 422),
        ({"method": "PUT", "url": "/v1/accounts/acme", "json": {"account_id": "other"}}, 422),
        ({"method": "PUT", "url": "/v1/accounts/acme", "json": {"tier": "gold"}}, 422),
        ({"method": "PUT", "url": "/v1/accounts/acme", "json": {"renewal_on": "9999-12-31"}}, 422),
        ({"method": "PUT", "url": "/v1/accounts/acme", "json": {"renewal_on": "0001-01-01"}}, 422),
        ({"method": "PUT", "url": "/v1/accounts/acme", "json": {"annual_revenue": {"amount": 5}}}, 422),
        ({"method": "PUT", "url": "/v1/accounts/acme", "json": {"parent_account_id": "acme"}}, 422),
        ({"method": "PUT", "url": "/v1/accounts/acme", "json": []}, 422),
        ({"method": "PUT", "url": f"/v1/accounts/{'x' * 201}", "json": {}}, 422),
        ({"method": "PATCH", "url": "/v1/accounts/acme", "json": {"tier": "key"}}, 404),
        ({"method": "GET", "url": "/v1/accounts/acme"}, 404),
        ({"method": "DELETE", "url": "/v1/accounts/acme"}, 404),
        ({"method": "PUT", "url": "/v1/accounts/acme/stakeholders/ann", "json": {"stakeholder_id": "bob"}}, 422),
        ({"method": "PUT", "url": "/v1/accounts/acme/stakeholders/ann", "json": {"type": "boss"}}, 422),
        ({"method": "DELETE", "url": "/v1/accounts/acme/stakeholders/ann"}, 404),
        ({"method": "POST", "url": "/v1/invitation-events", "json": {"invitation_id": "i"}}, 422),
        ({"method": "POST", "url": "/v1/invitation-events", "json": [1]}, 422),
        ({"method": "POST", "url": "/v1/context-events", "json": {"account_id": "acme"}}, 422),
        ({"method": "GET", "url": "/v1/imports/7"}, 404),
        ({"method": "GET", "url": "/v1/imports/00000000-0000-4000-8000-000000000001"}, 404),
        ({"method": "GET", "url": "/v1/imports/00000000-0000-4000-8000-000000000001/report"}, 404),
        ({"method": "POST", "url": "/v1/imports", "json": {}}, 415),
        ({"method": "POST", "url": "/v1/imports", "files": {"file": b"a"}}, 422),
        ({"method": "POST", "url": "/v1/imports", "data": {"kind": "people"}, "files": {"file": b"a"}}, 422),
        ({"method": "PUT", "url": "/v1/responses"}, 405),
    ],
)
async def test_any_other_call_is_refused_in_the_same_form(
    shared_collector: Running, call: dict[str, Any], status: int
) -> None:
    answer = await shared_collector.client.request(**call)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_a_key_is_needed_and_only_in_the_header(shared_collector: Running) -> None:
    client = shared_collector.client
    token = client.headers["authorization"].partition(" ")[2]
    for headers in (
        {"authorization": ""},
        {"authorization": "Bearer tb_x"},
        bearer(token[:-1] + "_"),
        bearer("pk" + token[2:]),
    ):
        answer = await client.post(f"/v1/responses?api_key={token}", json=GOOD, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    twice = [("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")]
    request = client.build_request("POST", "/v1/responses", json=GOOD)
    request.headers = type(request.headers)([*twice, ("content-type", "application/json")])
    assert (await client.send(request)).status_code == 401
