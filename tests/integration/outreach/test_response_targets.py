"""Targets of response rates per owner: who sets them, who sees which, and what leaders read of them."""

from typing import Any

import pytest

from tests.support.http import api_key, bearer
from tests.support.outreach import Asking

LEA, TOM = "lea@supplier.example", "tom@supplier.example"
PATH = "/v1/response-targets"


async def put(running: Asking, status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Any:
    answer = await running.client.put(PATH, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_target_is_set_changed_and_taken_away_again(running: Asking) -> None:
    await put(running, owner=LEA, target=0.5)
    await put(running, owner=TOM, target=0.6)
    items = (await put(running, owner=LEA, target=0.55))["items"]
    assert [(item["owner"], item["target"]) for item in items] == [(LEA, 0.55), (TOM, 0.6)]
    assert items[0]["set_by"].startswith("key:")
    assert (await running.get(PATH))["items"] == items
    assert [item["owner"] for item in (await put(running, owner=TOM, target=None))["items"]] == [LEA]


@pytest.mark.parametrize("target", [0, -0.1, 1.01, 55, "half"])
async def test_a_target_is_a_share(running: Asking, target: Any) -> None:
    await put(running, 422, owner=LEA, target=target)


async def test_who_manages_sets_targets_and_an_owner_sees_their_own(running: Asking) -> None:
    await put(running, owner=LEA, target=0.55)
    await put(running, owner=TOM, target=0.6)
    reader = bearer(await api_key(running.environment, ("read", "act")))
    await put(running, 403, reader, owner=LEA, target=0.1)
    limited = bearer(await api_key(running.environment, ("read", "manage"), LEA))
    await put(running, 403, limited, owner=LEA, target=0.1)
    answer = await running.client.get(PATH, headers=limited)
    assert [(item["owner"], item["target"]) for item in answer.json()["items"]] == [(LEA, 0.55)]
