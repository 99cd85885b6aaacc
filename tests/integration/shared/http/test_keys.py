"""`/v1/keys` over real HTTP handling and a real PostgreSQL: made, shown once, listed, limited, revoked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from shared.access.caller import SCOPES
from shared.access.keystore import KeyStore
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.http import keys
from shared.http.app import create_app
from shared.http.health import health_of
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running
from tests.support.problems import assert_problem, field_codes


def keys_app(environment: Environment) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database, clock = Database(environment.database_url, "collector", pool_size=2), SystemClock()
        app.state.plumbing = SimpleNamespace(
            database=database,
            clock=clock,
            keys=KeyStore(database, clock),
            settings=environment.common,
        )
        health_of(app).add("nothing", nothing_missing)
        yield
        await database.close()

    async def nothing_missing() -> str | None:
        return None

    return create_app("test", "Keys", "Keys.", [keys.router], lifespan)


@pytest.fixture
async def client(module_environment: Environment) -> AsyncIterator[httpx.AsyncClient]:
    async with running(keys_app(module_environment)) as client:
        client.headers.update(bearer(await api_key(module_environment, SCOPES)))
        yield client


async def test_a_key_is_made_works_and_is_shown_once(client: httpx.AsyncClient) -> None:
    made = await client.post("/v1/keys", json={"name": "frontend", "scopes": ["ingest", "read"], "rate_limit": 60})
    assert made.status_code == 201
    body = made.json()
    assert body["key"].startswith(f"tb_{body['id']}_")
    me = (await client.get("/v1/me", headers=bearer(body["key"]))).json()
    assert (me["key_id"], me["name"], me["scopes"]) == (body["id"], "frontend", ["ingest", "read"])
    listed = await client.get("/v1/keys")
    assert body["key"] not in listed.text
    [item] = [item for item in listed.json()["items"] if item["id"] == body["id"]]
    assert item == {name: value for name, value in body.items() if name not in ("key", "signing_secret")}


async def test_a_revoked_key_stops_and_stays_listed(client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/keys", json={"name": "gone", "scopes": ["read"]})).json()
    assert (await client.get("/v1/me", headers=bearer(made["key"]))).status_code == 200
    assert (await client.delete(f"/v1/keys/{made['id']}")).status_code == 204
    assert_problem(await client.get("/v1/me", headers=bearer(made["key"])), 401, "unauthorized")
    assert (await client.delete(f"/v1/keys/{made['id']}")).status_code == 204
    [item] = [item for item in (await client.get("/v1/keys")).json()["items"] if item["id"] == made["id"]]
    assert item["revoked_at"] is not None


async def test_an_unknown_key_cannot_be_revoked(client: httpx.AsyncClient) -> None:
    assert_problem(await client.delete("/v1/keys/aaaaaaaaaaaa"), 404, "key_not_found")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_it_takes_the_scope_to_manage(
    client: httpx.AsyncClient, module_environment: Environment, method: str
) -> None:
    others = bearer(await api_key(module_environment, ["ingest", "read", "act", "erase"]))
    path = "/v1/keys/aaaaaaaaaaaa" if method == "DELETE" else "/v1/keys"
    assert_problem(await client.request(method, path, headers=others), 403, "missing_scope")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "string_too_short"),
        ({"scopes": []}, "scopes", "invalid_scopes"),
        ({"scopes": ["root"]}, "scopes.0", "literal_error"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "not_ahead"),
        ({"expires_at": "2100-01-01T00:00:00Z"}, "expires_at", "not_ahead"),
        ({"expires_at": "9999-12-31T23:59:59.999999Z"}, "expires_at", "invalid_time"),
        ({"expires_at": 1}, "expires_at", "invalid_time"),
        ({"owner_email": "nobody"}, "owner_email", "invalid_email"),
        ({"rate_limit": 0}, "rate_limit", "greater_than_equal"),
        ({"secret": "x"}, "secret", "unknown_field"),
    ],
)
async def test_bad_wishes_are_refused(
    client: httpx.AsyncClient, change: dict[str, object], field: str, code: str
) -> None:
    response = await client.post("/v1/keys", json={"name": "x", "scopes": ["read"]} | change)
    assert response.status_code == 422
    assert field_codes(response.json()) == {field: code}


async def test_a_list_of_keys_has_pages(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await client.post("/v1/keys", json={"name": f"page {number}", "scopes": ["read"]})
    seen: list[str] = []
    params = {"limit": "2"}
    while True:
        page = (await client.get("/v1/keys", params=params)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    everything = (await client.get("/v1/keys", params={"limit": 200})).json()["items"]
    assert seen == [item["id"] for item in everything]
    assert [item["created_at"] for item in everything] == sorted((i["created_at"] for i in everything), reverse=True)
    assert_problem(await client.get("/v1/keys?cursor=W10"), 422, "invalid_cursor")


async def test_a_key_limited_to_an_owner_stays_within(
    client: httpx.AsyncClient, module_environment: Environment
) -> None:
    limited = bearer(await api_key(module_environment, ["manage", "read"], "ana@supplier.example"))
    wanted = {"name": "wider", "scopes": ["read"]}
    for owner in (None, "other@supplier.example"):
        response = await client.post("/v1/keys", json=wanted | {"owner_email": owner}, headers=limited)
        assert_problem(response, 403, "owner_limited")
    made = await client.post("/v1/keys", json=wanted | {"owner_email": "Ana@Supplier.example"}, headers=limited)
    assert made.status_code == 201
    foreign = (await client.post("/v1/keys", json=wanted)).json()["id"]
    listed = (await client.get("/v1/keys", headers=limited)).json()["items"]
    assert {item["owner_email"] for item in listed} == {"ana@supplier.example"}
    assert_problem(await client.delete(f"/v1/keys/{foreign}", headers=limited), 404, "key_not_found")
