"""Access: what is refused, in which order of checks, and that a refusal tells no more than necessary."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from shared.access.caller import Caller
from tests.support.clock import FrozenClock
from tests.support.edge import Keys, edge_app
from tests.support.http import bearer, running
from tests.support.problems import assert_problem


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="none"),
        pytest.param([("authorization", "Bearer wrong")], id="unknown key"),
        pytest.param([("authorization", "Bearer")], id="no key"),
        pytest.param([("authorization", "Basic all")], id="other scheme"),
        pytest.param([("authorization", "all")], id="no scheme"),
        pytest.param([("authorization", "Bearer all"), ("authorization", "Bearer all")], id="two headers"),
        pytest.param([("authorization", "Bearer \xe9")], id="not ASCII"),
        pytest.param([("x-api-key", "all")], id="other header"),
    ],
)
async def test_without_one_valid_key_it_is_401(anonymous: httpx.AsyncClient, headers: list[tuple[str, str]]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    response = await anonymous.get("/v1/me", headers=raw)
    body = assert_problem(response, 401, "unauthorized")
    assert response.headers["www-authenticate"] == 'Bearer realm="tellback"'
    assert body["detail"] == "a valid API key is needed, as Authorization: Bearer tb_..."


async def test_a_key_in_the_address_is_never_taken(anonymous: httpx.AsyncClient) -> None:
    for name in ("api_key", "key", "token", "access_token", "authorization"):
        assert_problem(await anonymous.get("/v1/me", params={name: "all"}), 401, "unauthorized")


async def test_the_scheme_may_be_written_in_any_case(anonymous: httpx.AsyncClient) -> None:
    for scheme in ("bearer", "BEARER", "Bearer "):
        response = await anonymous.get("/v1/me", headers={"Authorization": f"{scheme} all"})
        assert response.status_code == 200


async def test_me_says_who_a_key_is(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/me")).json() == {
        "key_id": "allallallall",
        "name": "all",
        "scopes": ["act", "erase", "ingest", "manage", "read"],
        "owner_email": None,
        "publishable": False,
        "expires_at": None,
    }


async def test_a_missing_scope_is_403_the_same_for_every_id(anonymous: httpx.AsyncClient) -> None:
    first = await anonymous.delete("/v1/accounts/known", headers=bearer("reader"))
    second = await anonymous.delete("/v1/accounts/unknown", headers=bearer("reader"))
    bodies = [assert_problem(response, 403, "missing_scope") for response in (first, second)]
    assert [body | {"request_id": ""} for body in bodies] == [bodies[0] | {"request_id": ""}] * 2


async def test_who_asks_is_settled_before_the_body_is_read(anonymous: httpx.AsyncClient) -> None:
    taken = 0

    async def content() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield b"[" * 1000

    for headers, status, code in (({}, 401, "unauthorized"), (bearer("reader"), 403, "missing_scope")):
        response = await anonymous.post("/v1/answers", content=content(), headers=headers)
        assert_problem(response, status, code)
    assert taken == 0


async def test_a_key_that_cannot_be_looked_up_is_503(client: httpx.AsyncClient, keys: Keys) -> None:
    keys.away = True
    response = await client.get("/v1/me")
    assert_problem(response, 503, "keys_unavailable")
    assert response.headers["retry-after"] == "5"


async def test_calls_without_a_requirement_need_no_key(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.post("/v1/open-answers", json={"score": 1})).status_code == 200


async def test_a_rate_limit_says_when_to_come_again() -> None:
    clock = FrozenClock(datetime(2026, 3, 1, tzinfo=UTC))
    app: FastAPI = edge_app(Keys({"slow": Caller("slowslowslow", frozenset(), rate_limit=2)}), clock)
    async with running(app) as client:
        client.headers.update(bearer("slow"))
        assert [(await client.get("/v1/me")).status_code for _ in range(3)] == [200, 200, 429]
        response = await client.get("/v1/me")
        assert_problem(response, 429, "rate_limited")
        assert response.headers["retry-after"] == "31"
        clock.advance(timedelta(seconds=31))
        assert [(await client.get("/v1/me")).status_code for _ in range(2)] == [200, 429]


async def test_keys_without_a_limit_are_not_limited(client: httpx.AsyncClient) -> None:
    assert {(await client.get("/v1/me")).status_code for _ in range(200)} == {200}
