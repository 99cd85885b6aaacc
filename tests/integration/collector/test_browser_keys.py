"""Publishable keys: they may post responses from their pages, amend them for a day, and nothing else."""

import hmac
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from services.cli.serve import _server
from shared.events.posted import posted
from shared.events.responses import ResponseAmended, ResponseRecorded
from shared.http.connections import Limits
from shared.topics import RESPONSES
from tests.integration.collector.conftest import Running
from tests.support.http import bearer
from tests.support.problems import assert_problem

PAGE = "https://app.acme.example"
BODY: dict[str, Any] = {"account_id": "acme", "email": "Ann@acme.example", "survey_type": "nps", "score": 9}
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


async def key(collector: Running, **wanted: Any) -> dict[str, Any]:
    """A publishable key for `PAGE`."""
    body = {"name": "pages", "publishable": True, "origins": [PAGE]} | wanted
    answer = await collector.client.post("/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def shown(made: dict[str, Any], origin: str | None = PAGE) -> dict[str, str]:
    return bearer(made["key"]) | ({"origin": origin} if origin else {})


async def post(collector: Running, headers: dict[str, str], **fields: Any) -> httpx.Response:
    return await collector.client.post("/v1/responses", json=BODY | fields, headers=headers)


async def test_a_page_posts_and_may_read_the_answer(collector: Running) -> None:
    made = await key(collector)
    assert made["key"].startswith(f"pk_{made['id']}_")
    assert (made["scopes"], made["origins"], made["publishable"]) == ([], [PAGE], True)
    answer = await post(collector, shown(made))
    assert answer.status_code == 202, answer.text
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "origin" in answer.headers["vary"].lower()
    assert answer.json()["amend_token"]
    refused = await post(collector, shown(made), score=11)
    assert_problem(refused, 422, "invalid_request")
    assert refused.headers["access-control-allow-origin"] == PAGE


async def test_other_pages_and_no_page_are_refused(collector: Running) -> None:
    made = await key(collector)
    for origin in ("https://evil.example", "null", None):
        answer = await post(collector, shown(made, origin))
        assert_problem(answer, 403, "origin_not_allowed")
        assert "access-control-allow-origin" not in answer.headers


async def test_a_preflight_is_answered_for_the_pages_of_live_keys(collector: Running) -> None:
    async def preflight(path: str, origin: str) -> httpx.Response:
        return await collector.client.request("OPTIONS", path, headers=PREFLIGHT | {"origin": origin})

    assert_problem(await preflight("/v1/responses", PAGE), 403, "origin_not_allowed")
    made = await key(collector)
    answer = await preflight("/v1/responses", PAGE)
    assert (answer.status_code, answer.headers["access-control-allow-methods"]) == (204, "POST")
    assert "tellback-signature" in answer.headers["access-control-allow-headers"]
    assert (await preflight("/v1/responses/r1", PAGE)).headers["access-control-allow-methods"] == "PATCH"
    assert (await preflight("/v1/responses", "https://evil.example")).status_code == 403
    assert "access-control-allow-origin" not in (await preflight("/v1/accounts/acme", PAGE)).headers
    await collector.client.delete(f"/v1/keys/{made['id']}")
    assert (await preflight("/v1/responses", PAGE)).status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/me"),
        ("GET", "/v1/accounts"),
        ("PUT", "/v1/accounts/acme"),
        ("POST", "/v1/responses/batch"),
        ("POST", "/v1/survey_responses.json"),
        ("POST", "/v1/invitation-events"),
        ("DELETE", "/v1/responses/r1?account_id=acme"),
        ("GET", "/v1/imports/0199c0de-6f7a-7c1e-9d53-8f2f3c0b1a2d"),
        ("GET", "/v1/keys"),
        ("DELETE", "/v1/accounts/acme/stakeholders/ann/data"),
        ("GET", "/v1/dead-letters"),
    ],
)
async def test_it_may_do_nothing_else(shared_collector: Running, method: str, path: str) -> None:
    made = await key(shared_collector)
    answer = await shared_collector.client.request(method, path, headers=shown(made))
    assert_problem(answer, 403, "publishable_key")


async def test_comment_and_answers_may_be_amended_with_the_token_for_a_day(collector: Running) -> None:
    made = await key(collector)
    taken = (await post(collector, shown(made))).json()
    path = f"/v1/responses/{taken['response_id']}"
    body = {"account_id": "acme", "comment": "Always on time.", "amend_token": taken["amend_token"]}
    headers = shown(made) | {"idempotency-key": "later"}
    answer = await collector.client.patch(path, json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    amended, recorded = sorted((event.data for event in await collector.events(RESPONSES, 2)), key=repr)
    assert isinstance(recorded, ResponseRecorded)
    assert isinstance(amended, ResponseAmended)
    assert amended.changes == {"comment": "Always on time."}
    assert amended.stakeholder_id == recorded.stakeholder_id  # for an erasure without the response
    assert (amended.survey_type, amended.posted) == ("nps", posted(vars(recorded)))

    for wrong in (
        body | {"score": 1},
        body | {"stakeholder_id": "bob"},
        body | {"survey_type": "csat"},
    ):
        assert_problem(await collector.client.patch(path, json=wrong, headers=headers), 403, "not_amendable")
    for wrong in (
        body | {"amend_token": taken["amend_token"][:-2]},
        body | {"amend_token": "none.at-all"},
        body | {"account_id": "other"},
        {"account_id": "acme", "comment": "no token"},
    ):
        assert_problem(await collector.client.patch(path, json=wrong, headers=headers), 403, "amend_token_invalid")
    other = await collector.client.patch("/v1/responses/another", json=body, headers=headers)
    assert_problem(other, 403, "amend_token_invalid")
    foreign = await collector.client.patch(path, json=body, headers=shown(await key(collector)))
    assert_problem(foreign, 403, "amend_token_invalid")
    collector.clock.advance(timedelta(hours=24))
    late = await collector.client.patch(path, json=body, headers=headers)
    assert_problem(late, 403, "amend_token_invalid")


async def test_what_cannot_be_amended_about_the_survey_that_was_posted_is_refused(collector: Running) -> None:
    made = await key(collector)
    taken = (await post(collector, shown(made), survey_type="csat", score=4)).json()
    body = {"account_id": "acme", "amend_token": taken["amend_token"]}

    async def with_entry(kind: str) -> httpx.Response:
        answers = [{"question_id": "q", "type": kind, "value": 3}]
        path = f"/v1/responses/{taken['response_id']}"
        return await collector.client.patch(path, json=body | {"answers": answers}, headers=shown(made))

    for kind in ("csat", "nps"):
        assert_problem(await with_entry(kind), 422, "invalid_request")
    assert (await with_entry("ces")).status_code == 202


async def test_a_page_that_posts_the_same_again_gets_a_token_for_the_same_content(collector: Running) -> None:
    """The answer to its first post may have been lost. Other content under the same id is somebody else's."""
    made = await key(collector)
    bodies = ({"response_id": "r1"}, {"response_id": "r1"}, {"response_id": "r1", "score": 8})
    tokens = [(await post(collector, shown(made), **body)).json()["amend_token"] for body in bodies]
    for number, token in enumerate(tokens):
        amendment = {"account_id": "acme", "comment": str(number), "amend_token": token}
        assert (await collector.client.patch("/v1/responses/r1", json=amendment, headers=shown(made))).is_success
    amendments = {
        event.data.changes["comment"]: event.data.posted
        for event in await collector.events(RESPONSES, 6)
        if isinstance(event.data, ResponseAmended)
    }
    assert amendments["0"] == amendments["1"] != amendments["2"]


async def test_other_keys_get_no_token_and_need_none(collector: Running) -> None:
    taken = (await collector.client.post("/v1/responses", json=BODY)).json()
    assert "amend_token" not in taken
    path = f"/v1/responses/{taken['response_id']}"
    assert (await collector.client.patch(path, json={"account_id": "acme", "score": 3})).status_code == 202


async def test_the_rate_is_limited_by_key_and_address(collector: Running) -> None:
    made = await key(collector, rate_limit=2)
    statuses = [(await post(collector, shown(made))).status_code for _ in range(3)]
    assert statuses == [202, 202, 429]
    refused = await post(collector, shown(made))
    assert int(refused.headers["retry-after"]) in (30, 31)
    assert refused.headers["access-control-allow-origin"] == PAGE
    transport = httpx.ASGITransport(app=collector.app, client=("198.51.100.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://tellback.test") as elsewhere:
        answer = await elsewhere.post("/v1/responses", json=BODY, headers=shown(made))
        assert answer.status_code == 202
    collector.clock.advance(timedelta(seconds=30))
    assert (await post(collector, shown(made))).status_code == 202


async def test_a_key_may_require_the_customers_signature(collector: Running) -> None:
    made = await key(collector, require_signature=True)

    def signed(account_id: str, person: str) -> dict[str, str]:
        # As documented for the customer's server.
        mac = hmac.new(made["signing_secret"].encode(), f"{account_id}\n{person}".encode(), sha256).hexdigest()
        return shown(made) | {"tellback-signature": mac}

    assert (await post(collector, signed("acme", "ann@acme.example"))).status_code == 202
    assert (await post(collector, signed("acme", "s-1"), stakeholder_id="s-1")).status_code == 202
    for headers in (shown(made), signed("acme", "bob@acme.example"), signed("other", "ann@acme.example")):
        assert_problem(await post(collector, headers), 403, "signature_invalid")
    assert "signing_secret" not in (await collector.client.get("/v1/keys")).text


@pytest.mark.parametrize(
    "wanted",
    [
        {"origins": []},
        {"origins": ["app.acme.example"]},
        {"origins": ["https://app.acme.example/"]},
        {"origins": ["*"]},
        {"scopes": ["read"]},
        {"owner_email": "ines@supplier.example"},
        {"publishable": False, "scopes": ["ingest"]},
    ],
)
async def test_what_makes_no_sense_is_not_made(shared_collector: Running, wanted: dict[str, Any]) -> None:
    body = {"name": "pages", "publishable": True, "origins": [PAGE]} | wanted
    assert_problem(await shared_collector.client.post("/v1/keys", json=body), 422, "invalid_key")


@pytest.mark.parametrize(("proxies", "statuses"), [(["127.0.0.1"], [202, 202, 429]), ([], [202, 429, 429])])
async def test_behind_a_trusted_proxy_the_rate_counts_its_clients(
    collector: Running, proxies: list[str], statuses: list[int]
) -> None:
    made = await key(collector, rate_limit=1)
    config = _server(collector.app, ("127.0.0.1", 0), 0, proxies, Limits()).config
    config.load()
    transport = httpx.ASGITransport(app=config.loaded_app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://tellback.test") as proxy:
        answers = [
            await proxy.post("/v1/responses", json=BODY, headers=shown(made) | {"x-forwarded-for": address})
            for address in ("192.0.2.1", "192.0.2.2", "192.0.2.2")
        ]
    assert [answer.status_code for answer in answers] == statuses
