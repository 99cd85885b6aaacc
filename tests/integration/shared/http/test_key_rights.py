"""A key can grant and revoke only its own rights: over real HTTP handling and a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.access.caller import SCOPES
from tests.integration.shared.http.test_keys import client
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.problems import assert_problem

__all__ = ["client"]
ORIGIN = "https://app.acme.example"
SOON = datetime.now(UTC) + timedelta(days=1)


async def make(client: httpx.AsyncClient, shown: dict[str, str] | None = None, **wanted: Any) -> httpx.Response:
    return await client.post("/v1/keys", json={"name": "made"} | wanted, headers=shown)


async def with_key(client: httpx.AsyncClient, **wanted: Any) -> dict[str, str]:
    """The header of a new key."""
    made = await make(client, **wanted)
    assert made.status_code == 201, made.text
    return bearer(made.json()["key"])


@pytest.mark.parametrize("scope", sorted(set(SCOPES) - {"manage"}))
async def test_a_key_that_only_manages_gives_no_other_scope(client: httpx.AsyncClient, scope: str) -> None:
    manager = await with_key(client, scopes=["manage"])
    assert_problem(await make(client, manager, scopes=["manage", scope]), 403, "beyond_own_scopes")
    assert (await make(client, manager, scopes=["manage"])).status_code == 201
    both = await with_key(client, scopes=["manage", scope])
    assert (await make(client, both, scopes=[scope])).status_code == 201


async def test_a_publishable_key_posts_so_only_a_key_that_may_post_makes_one(client: httpx.AsyncClient) -> None:
    wanted = {"publishable": True, "origins": [ORIGIN]}
    reader = await with_key(client, scopes=["manage", "read"])
    assert_problem(await make(client, reader, **wanted), 403, "beyond_own_scopes")
    poster = await with_key(client, scopes=["manage", "ingest"])
    assert (await make(client, poster, **wanted)).status_code == 201


async def test_a_key_limited_to_an_owner_makes_no_publishable_one(
    client: httpx.AsyncClient, module_environment: Environment
) -> None:
    limited = bearer(await api_key(module_environment, ["manage", "ingest"], "ana@supplier.example"))
    answer = await make(client, limited, publishable=True, origins=[ORIGIN])
    assert_problem(answer, 403, "owner_limited")


async def test_a_key_that_expires_makes_none_that_lasts_longer(client: httpx.AsyncClient) -> None:
    expiring = await with_key(client, scopes=["manage"], expires_at=SOON.isoformat())
    assert_problem(await make(client, expiring, scopes=["manage"]), 403, "expires_later")
    later = (SOON + timedelta(seconds=1)).isoformat()
    assert_problem(await make(client, expiring, scopes=["manage"], expires_at=later), 403, "expires_later")
    assert (await make(client, expiring, scopes=["manage"], expires_at=SOON.isoformat())).status_code == 201


async def test_a_key_with_a_rate_limit_makes_none_that_is_faster(client: httpx.AsyncClient) -> None:
    slow = await with_key(client, scopes=["manage"], rate_limit=100)
    assert_problem(await make(client, slow, scopes=["manage"]), 403, "rate_limited")
    assert_problem(await make(client, slow, scopes=["manage"], rate_limit=101), 403, "rate_limited")
    assert (await make(client, slow, scopes=["manage"], rate_limit=100)).status_code == 201


async def test_a_key_revokes_none_that_may_do_more(client: httpx.AsyncClient) -> None:
    manager = await with_key(client, scopes=["manage"])
    wider = (await make(client, scopes=["manage", "read"])).json()
    assert_problem(await client.delete(f"/v1/keys/{wider['id']}", headers=manager), 403, "beyond_own_scopes")
    assert (await client.get("/v1/me", headers=bearer(wider["key"]))).status_code == 200
    public = (await make(client, publishable=True, origins=[ORIGIN])).json()
    assert_problem(await client.delete(f"/v1/keys/{public['id']}", headers=manager), 403, "beyond_own_scopes")
    equal = (await make(client, scopes=["manage"])).json()
    assert (await client.delete(f"/v1/keys/{equal['id']}", headers=manager)).status_code == 204


async def test_a_key_revokes_itself(client: httpx.AsyncClient) -> None:
    own = (await make(client, scopes=["manage", "act"])).json()
    assert (await client.delete(f"/v1/keys/{own['id']}", headers=bearer(own["key"]))).status_code == 204
    assert_problem(await client.get("/v1/me", headers=bearer(own["key"])), 401, "unauthorized")
